export { openGuardedLoans, type GuardedLoans, type LetGo, type Loan } from "./guarded-loans.js";
