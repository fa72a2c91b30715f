//! The command line: reads arguments and environment, and starts the server.

mod logging;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use huechat::{
    App,
    config::{self, Config},
    net,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing::error;
use tracing_subscriber::EnvFilter;

/// Anonymous, short-lived chat rooms where you are a colour.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until a signal (the default).
    Serve,
    /// Show the effective settings, secrets hidden.
    Config,
    /// Ask the server with these settings whether it is ready; fails when it is not.
    Healthcheck,
}

#[tokio::main]
async fn main() -> ExitCode {
    huechat::choose_tls();
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return failed(&reason_of_file(&error));
    }
    let vars = std::env::vars_os();
    let read = Config::from_command_line(CommandLine::command(), std::env::args_os(), vars);
    let (config, matches) = match read {
        Ok(read) => read,
        Err(config::Error::CommandLine(error)) => error.exit(),
        Err(error) => return failed(&error.to_string()),
    };
    let command = match CommandLine::from_arg_matches(&matches) {
        Ok(line) => line.command.unwrap_or(Command::Serve),
        Err(error) => error.exit(),
    };
    let filter = match EnvFilter::try_new(&config.log) {
        Ok(filter) => filter,
        Err(error) => return failed(&format!("RUST_LOG={}: {error}", config.log)),
    };
    match command {
        Command::Serve => serve(config, filter).await,
        Command::Config => {
            said(&config.listing());
            ExitCode::SUCCESS
        }
        Command::Healthcheck => healthcheck(&config).await,
    }
}

/// Why `.env` cannot be read, without what stands in it: a line that is wrong may hold a password.
fn reason_of_file(error: &dotenvy::Error) -> String {
    if !matches!(error, dotenvy::Error::LineParse(..)) {
        return format!(".env: {error}");
    }
    let read = dotenvy::dotenv_iter().into_iter().flatten().map_while(Result::ok);
    let place = match read.last() {
        Some((name, _)) => format!("the setting after {name}"),
        None => "the first setting".to_owned(),
    };
    format!(".env: {place} is not NAME=value; a value with spaces or quotes needs quotes around it")
}

async fn serve(config: Config, wanted: EnvFilter) -> ExitCode {
    logging::start(wanted);
    let outcome = async {
        let address = SocketAddr::new(config.host, config.port);
        let listener = net::listen(address)
            .map_err(|error| format!("HOST, PORT: cannot listen on {address}: {error}"))?;
        let stopped = stopped().map_err(|error| format!("cannot handle signals: {error}"))?;
        let app = App::build(config).await.map_err(|error| error.to_string())?;
        app.serve(listener, stopped).await.map_err(|error| error.to_string())
    };
    match outcome.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Completes on SIGTERM, SIGINT (Ctrl-C) or SIGHUP (a terminal that closes).
fn stopped() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

async fn healthcheck(config: &Config) -> ExitCode {
    let host = if config.host.is_unspecified() {
        std::net::Ipv4Addr::LOCALHOST.into()
    } else {
        config.host
    };
    let url = format!("http://{}/readyz", SocketAddr::new(host, config.port));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    let answer = match client {
        Ok(client) => client.get(&url).send().await.and_then(reqwest::Response::error_for_status),
        Err(error) => Err(error),
    };
    match answer {
        Ok(_) => {
            said("ready\n");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.to_string()),
    }
}

#[expect(clippy::print_stdout, reason = "what a command was asked to show")]
fn said(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "nothing is logged before the log's settings are read")]
fn failed(reason: &str) -> ExitCode {
    eprintln!("huechat: {reason}");
    ExitCode::FAILURE
}
