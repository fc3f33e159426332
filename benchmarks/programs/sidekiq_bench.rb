# Sidekiq's jobs, and, as a program, its client.
require "json"
require "sidekiq"

url = ENV.fetch("BENCH_REDIS")
Sidekiq.configure_server do |config|
  config.redis = { url: "#{url}/0" }
  config.logger.level = Logger::WARN
  config.on(:startup) { warn "takes tasks" }
end
Sidekiq.configure_client { |config| config.redis = { url: "#{url}/0" } }

# Sidekiq keeps no results: the jobs store their own.
RESULTS = ConnectionPool.new(size: 10) { Redis.new(url: "#{url}/1") }

class Echo
  include Sidekiq::Worker
  sidekiq_options queue: "bench"

  def perform(number)
    RESULTS.with { |redis| redis.set(jid, number, ex: 86_400) }
  end
end

if $PROGRAM_NAME == __FILE__
  $stdout.sync = true
  $stdin.each_line do |line|
    request = JSON.parse(line, symbolize_names: true)
    numbers = request[:first]...request[:last] if request.key?(:first)
    answer =
      case request[:call]
      when "send" then numbers.map { |number| { number: number, id: Echo.perform_async(number) } }.last(100)
      when "send_bulk"
        numbers.each_slice(1000).flat_map do |lot|
          ids = Sidekiq::Client.push_bulk("class" => Echo, "args" => lot.map { |number| [number] })
          lot.zip(ids).map { |number, id| { number: number, id: id } }
        end.last(100)
      when "results" then RESULTS.with { |redis| redis.mget(request[:ids]).map(&:to_i) }
      else raise "Sidekiq has no results to wait for"
      end
    puts JSON.generate(answer)
  end
end
