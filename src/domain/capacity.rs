//! The capacity of a room.

/// The reason for refusing a capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCapacity {
    /// Not a whole number.
    #[error("a capacity is a whole number")]
    NotANumber,
    /// Below [`Capacity::MIN`], or above what the server allows.
    #[error("a capacity is from {} to {at_most}", Capacity::MIN)]
    OutOfRange {
        /// The server's limit.
        at_most: u32,
    },
}

/// The largest number of people in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capacity(u32);

impl Capacity {
    /// The smallest capacity.
    pub const MIN: u32 = 2;

    /// # Errors
    /// When `raw` is not a whole number from 2 to `at_most`.
    pub fn parse(raw: &str, at_most: u32) -> Result<Self, InvalidCapacity> {
        let raw = raw.trim();
        let digits = !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return match raw.parse::<i64>() {
                Ok(_negative) => Err(InvalidCapacity::OutOfRange { at_most }),
                Err(_) => Err(InvalidCapacity::NotANumber),
            };
        }
        match raw.parse::<u32>() {
            Ok(n) if (Self::MIN..=at_most).contains(&n) => Ok(Self(n)),
            _ => Err(InvalidCapacity::OutOfRange { at_most }),
        }
    }

    /// Restores a capacity from the store.
    #[must_use]
    pub fn new(people: u32) -> Self {
        Self(people)
    }

    /// The number of people.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_a_whole_number_from_2_to_the_servers_most() {
        assert_eq!(Capacity::parse("2", 500).map(Capacity::get), Ok(2));
        assert_eq!(Capacity::parse(" 500 ", 500).map(Capacity::get), Ok(500));
        for raw in ["0", "1", "501", "-3", "99999999999999999999"] {
            let refused = Capacity::parse(raw, 500);
            assert_eq!(refused, Err(InvalidCapacity::OutOfRange { at_most: 500 }), "{raw}");
        }
        for raw in ["", "ten", "1e2", "3.5", "٣", "+4x"] {
            assert_eq!(Capacity::parse(raw, 500), Err(InvalidCapacity::NotANumber), "{raw}");
        }
    }
}
