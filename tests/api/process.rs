//! The program: its command line, its settings, its start and its end.

use std::{os::unix::fs::PermissionsExt as _, process::Output};

use tokio::process::Command;

use crate::common::{
    Backend,
    server::{Home, Process},
};

async fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::TempDir::new().unwrap();
    Command::new(env!("CARGO_BIN_EXE_huechat"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(settings.iter().copied())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    let output = run(&["serve"], &[("ROOM_GRACE", "soon")]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "huechat: ROOM_GRACE=soon: not a number of seconds\n");
}

#[tokio::test]
async fn a_short_cookie_secret_stops_the_start_and_is_not_shown() {
    let output = run(&[], &[("COOKIE_SECRET", "hunter2")]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "huechat: COOKIE_SECRET=(hidden): shorter than 32 bytes\n");
}

#[tokio::test]
async fn the_settings_are_listed_with_their_secrets_hidden() {
    let secret = "0123456789abcdef0123456789abcdef";
    let output = run(&["config"], &[("COOKIE_SECRET", secret), ("PORT", "9000")]).await;

    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(
        listed.contains("PORT=9000\n") && listed.contains("COOKIE_SECRET=(hidden)\n"),
        "{listed}"
    );
    assert!(!listed.contains(secret));
}

#[tokio::test]
async fn a_file_of_settings_counts_less_than_the_environment() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=9000\nMAX_ROOMS=7\n").unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_huechat"))
        .arg("config")
        .current_dir(folder.path())
        .env_clear()
        .env("PORT", "9001")
        .output()
        .await
        .unwrap();

    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains("PORT=9001\n") && listed.contains("MAX_ROOMS=7\n"), "{listed}");
}

#[tokio::test]
async fn a_healthcheck_asks_the_running_server() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let port = server.address.port().to_string();

    let healthy = run(&["healthcheck"], &[("PORT", &port)]).await;
    server.kill().await;
    let dead = run(&["healthcheck"], &[("PORT", &port)]).await;

    assert!(healthy.status.success(), "{healthy:?}");
    assert!(!dead.status.success());
}

#[tokio::test]
async fn the_cookie_secret_is_made_once_and_for_the_owners_eyes_alone() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let path = server.home.data().join("cookie-secret");
    let made = std::fs::read(&path).unwrap();

    let (home, _) = server.terminate().await;
    let _server = Process::start(home).await;

    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&path).unwrap(), made);
    assert!(made.len() >= 32);
}

#[tokio::test]
async fn two_servers_do_not_share_one_file() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let data = server.home.data().display().to_string();

    let second = run(&["serve"], &[("DATA_DIR", &data), ("PORT", "0")]).await;

    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another server has"), "{said}");
}

#[tokio::test]
async fn an_unknown_command_is_explained() {
    let output = run(&["dance"], &[]).await;

    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("Usage"));
}
