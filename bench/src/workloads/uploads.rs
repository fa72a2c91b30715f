//! W6: people share large GIFs while others talk.

use std::{cell::Cell, rc::Rc, time::Duration};

use bytes::Bytes;
use huechat_bench::noise;
use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use tokio::{task::JoinSet, time::Instant};

use crate::{Failure, client::Client, target::Target};

/// Uploads under way at a time.
const AT_ONCE: usize = 20;

/// People with a megabyte each to share, every one in a room of their own.
pub struct Sharers(Vec<Sharer>);

struct Sharer {
    _seat: Client,
    upload: RequestBuilder,
    file: Bytes,
}

impl Sharers {
    /// Lets them in, and makes what they share: nothing of that may disturb the measurement.
    pub async fn gather(target: &Target) -> Result<Self, Failure> {
        let mut sharers = Vec::with_capacity(AT_ONCE);
        for n in 0..AT_ONCE {
            let cookie = target.visit().await?;
            let room = target.open(cookie.as_deref(), "pictures", 2).await?;
            sharers.push(Sharer {
                _seat: Client::enter(target.address, cookie.as_deref(), &room).await?,
                upload: target.post(&format!("/room/{room}/gif"), cookie.as_deref()),
                file: noise(u32::try_from(n)?)?.into(),
            });
        }
        Ok(Self(sharers))
    }

    /// Uploads until then, and gives how many were shared a second.
    pub async fn share(self, until: Instant) -> Result<f64, Failure> {
        let begun = Instant::now();
        let shared = Rc::new(Cell::new(0_u32));
        let mut people = JoinSet::new();
        for sharer in self.0 {
            let shared = shared.clone();
            people.spawn_local(async move {
                while Instant::now() < until {
                    sharer.upload().await?;
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
}

impl Sharer {
    async fn upload(&self) -> Result<(), Failure> {
        let length = self.file.len() as u64;
        let part = Part::stream_with_length(self.file.clone(), length).file_name("a.gif");
        let upload = self.upload.try_clone().ok_or("a request without a body can be cloned")?;
        upload.multipart(Form::new().part("gif", part)).send().await?.error_for_status()?;
        Ok(())
    }
}
