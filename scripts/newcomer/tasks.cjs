const { createApp } = require("@bullrush/client");

const app = createApp({ queues: ["for_task_A"] });
module.exports = { app, taskA: app.task("tasks.taskA", { queue: "for_task_A" }, (x, y) => x + y) };
