//! W6: people share large GIFs while others talk.

use std::{cell::Cell, rc::Rc, time::Duration};

use huechat_bench::noise;
use reqwest::multipart::{Form, Part};
use tokio::{task::JoinSet, time::Instant};

use crate::{Failure, client::Client, target::Target};

/// Uploads under way at a time.
const AT_ONCE: usize = 20;

/// Uploads until then, each in a room of its own, and gives how many were shared a second.
pub async fn share(target: &Target, until: Instant) -> Result<f64, Failure> {
    let begun = Instant::now();
    let shared = Rc::new(Cell::new(0_u32));
    let mut people = JoinSet::new();
    for n in 0..AT_ONCE {
        let cookie = target.visit().await?;
        let room = target.open(cookie.as_deref(), "pictures", 2).await?;
        let seat = Client::enter(target.address, cookie.as_deref(), &room).await?;
        let (shared, path) = (shared.clone(), format!("/room/{room}/gif"));
        let file = noise(u32::try_from(n)?)?;
        let requests = target.post(&path, cookie.as_deref());
        people.spawn_local(async move {
            let _seat = seat;
            while Instant::now() < until {
                let part = Part::bytes(file.clone()).file_name("a.gif");
                let request =
                    requests.try_clone().ok_or("a request without a body can be cloned")?;
                request
                    .multipart(Form::new().part("gif", part))
                    .send()
                    .await?
                    .error_for_status()?;
                shared.set(shared.get() + 1);
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(person) = people.join_next().await {
        person??;
    }
    Ok(f64::from(shared.get()) / begun.elapsed().max(Duration::from_millis(1)).as_secs_f64())
}
