//! Delivering the [feed](crate::feed) to a webhook: when an event is tried again, put aside, or
//! given up with the whole webhook.

use std::time::Duration;

use crate::feed::Seq;
use crate::history::Event;
use crate::ids::TimeEntryId;
use crate::named::named;
use crate::timestamp::Timestamp;

/// How long to wait after each attempt that did not reach the receiver. The last one repeats.
const WAITS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(4),
];

/// How long a receiver may be away before its webhook is disabled.
const PATIENCE: Duration = Duration::from_hours(72);

/// How often a receiver may refuse an event, in about ten minutes, before that is put aside.
const REFUSALS: u32 = 10;
const WAIT_AFTER_REFUSAL: Duration = Duration::from_mins(1);

/// The longest that a receiver may ask to be left alone.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Waits get longer by up to a tenth, by chance, so that receivers that were away together are not
/// all tried at the same moment.
const JITTER: u32 = 10;

/// Where the delivery to a webhook stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The last change that is done with: it was delivered, put aside, or not meant for the webhook.
    pub delivered_through: Seq,
    /// How often in a row the receiver was away.
    pub misses: u32,
    /// How often it refused the next event.
    pub refusals: u32,
    /// Since when it has been away, if it is.
    pub away_since: Option<Timestamp>,
    /// When to try again; none where nothing has to be waited for.
    pub next_attempt_at: Option<Timestamp>,
    /// Why nothing is delivered any more.
    pub disabled: Option<DisabledReason>,
    /// What went wrong last, until an event is delivered again.
    pub last_error: Option<DeliveryError>,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryError {
    /// When it failed.
    pub at: Timestamp,
    /// What is to be known of it: a sentence for people.
    pub message: String,
}

/// An event that a receiver refused until it was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The number of its change.
    pub seq: Seq,
    /// What had happened.
    pub event: Event,
    /// The entry it had happened to.
    pub time_entry_id: TimeEntryId,
    /// The last refusal.
    pub error: DeliveryError,
}

named! {
    /// Why a webhook was disabled by the service.
    pub enum DisabledReason {
        /// The receiver answered that it is gone for good (410).
        ReceiverGone = "receiver_gone",
        /// The receiver was away for 72 hours.
        ReceiverAway = "receiver_away",
    }
}

/// What came of an attempt to deliver an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver took it.
    Delivered,
    /// The receiver could not be reached, did not answer in time, or could not take anything now.
    Away {
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The receiver does not want this event.
    Refused,
    /// There is no such receiver any more.
    Gone,
}

impl Attempt {
    /// What an answer of that HTTP status means. `retry_after` is what `Retry-After` says.
    ///
    /// ```
    /// use timelog_domain::delivery::Attempt;
    ///
    /// assert_eq!(Attempt::answered(204, None), Attempt::Delivered);
    /// assert_eq!(Attempt::answered(302, None), Attempt::Refused);
    /// assert_eq!(Attempt::answered(503, None), Attempt::Away { retry_after: None });
    /// ```
    #[must_use]
    pub const fn answered(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Delivered,
            410 => Self::Gone,
            408 | 429 | 500..=599 => Self::Away { retry_after },
            _ => Self::Refused,
        }
    }

    /// The name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Away { .. } => "away",
            Self::Refused => "refused",
            Self::Gone => "gone",
        }
    }
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The next event is due.
    GoOn,
    /// The same event is due [later](Delivery::next_attempt_at).
    TryAgain,
    /// The event is put aside, and the next one is due.
    PutAside,
    /// Nothing is due until somebody enables the webhook again.
    Disable(DisabledReason),
}

impl Delivery {
    /// Delivers what comes after a change.
    #[must_use]
    pub const fn after(delivered_through: Seq) -> Self {
        Self {
            delivered_through,
            misses: 0,
            refusals: 0,
            away_since: None,
            next_attempt_at: None,
            disabled: None,
            last_error: None,
        }
    }

    /// Whether something may be delivered now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.disabled.is_none() && self.next_attempt_at.is_none_or(|at| at <= now)
    }

    /// Notes what came of delivering the change `seq`, and what was wrong if that failed. `chance`
    /// is a random number.
    ///
    /// A receiver that is away is tried again after 5 seconds, 30 seconds, 2 minutes, 10 minutes, an
    /// hour, and then every four hours, and not before it asked for; after 72 hours the webhook is
    /// disabled. An event that is refused is tried ten times in ten minutes, and then put aside.
    ///
    /// ```
    /// use timelog_domain::delivery::{Attempt, Delivery, Verdict};
    /// use timelog_domain::{Seq, Timestamp};
    ///
    /// let now = Timestamp::from_unix_millis(0)?;
    /// let mut delivery = Delivery::after(Seq::START);
    /// let away = Attempt::Away { retry_after: None };
    /// let verdict = delivery.note(Seq::new(1), away, "it refuses connections", now, 0);
    /// assert_eq!(verdict, Verdict::TryAgain);
    /// assert_eq!(delivery.next_attempt_at, Some(Timestamp::from_unix_millis(5000)?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn note(
        &mut self,
        seq: Seq,
        attempt: Attempt,
        error: &str,
        now: Timestamp,
        chance: u8,
    ) -> Verdict {
        self.last_error = Some(DeliveryError { at: now, message: error.to_owned() });
        match attempt {
            Attempt::Delivered => {
                *self = Self::after(seq);
                Verdict::GoOn
            }
            Attempt::Gone => self.disable(DisabledReason::ReceiverGone),
            Attempt::Away { retry_after } => {
                let since = *self.away_since.get_or_insert(now);
                if now >= since.saturating_add(PATIENCE) {
                    return self.disable(DisabledReason::ReceiverAway);
                }
                let wait = WAITS[WAITS.len().min(self.misses as usize + 1) - 1];
                let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                self.misses = self.misses.saturating_add(1);
                self.try_again(wait.max(asked), now, chance)
            }
            Attempt::Refused => {
                self.refusals = self.refusals.saturating_add(1);
                if self.refusals >= REFUSALS {
                    let last_error = self.last_error.take();
                    *self = Self { last_error, ..Self::after(seq) };
                    return Verdict::PutAside;
                }
                (self.misses, self.away_since) = (0, None);
                self.try_again(WAIT_AFTER_REFUSAL, now, chance)
            }
        }
    }

    /// Goes on where it stood, and at once.
    #[must_use]
    pub const fn enabled(&self) -> Self {
        Self::after(self.delivered_through)
    }

    /// Passes over what is not meant for the webhook. What was refused may be among it, since
    /// webhooks can be changed.
    pub const fn pass(&mut self, through: Seq) {
        self.delivered_through = through;
        self.refusals = 0;
    }

    fn try_again(&mut self, wait: Duration, now: Timestamp, chance: u8) -> Verdict {
        let more = wait / JITTER * u32::from(chance) / u32::from(u8::MAX);
        self.next_attempt_at = Some(now.saturating_add(wait + more));
        Verdict::TryAgain
    }

    const fn disable(&mut self, reason: DisabledReason) -> Verdict {
        self.disabled = Some(reason);
        self.next_attempt_at = None;
        Verdict::Disable(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Attempt = Attempt::Away { retry_after: None };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_millis(0).unwrap().saturating_add(Duration::from_secs(seconds))
    }

    /// The seconds between attempts that all come to the same, until that is over, and the end.
    fn waits(attempt: Attempt, chance: u8) -> (Vec<u64>, Verdict) {
        let (mut delivery, mut now) = (Delivery::after(Seq::new(6)), at(0));
        let mut waits = Vec::new();
        loop {
            assert!(delivery.is_due(now));
            let verdict = delivery.note(Seq::new(7), attempt, "no", now, chance);
            let Some(next) = delivery.next_attempt_at else { return (waits, verdict) };
            assert!(!delivery.is_due(now) && delivery.delivered_through == Seq::new(6));
            waits.push(u64::try_from((next.unix_millis() - now.unix_millis()) / 1000).unwrap());
            now = next;
        }
    }

    #[test]
    fn a_receiver_that_is_away_is_tried_ever_less_often_and_given_up_after_three_days() {
        let (tried, verdict) = waits(AWAY, 0);
        assert_eq!(tried[..6], [5, 30, 120, 600, 3600, 14_400]);
        assert!(tried[5..].iter().all(|wait| *wait == 14_400));
        let all: u64 = tried.iter().sum();
        assert!((72 * 3600..76 * 3600).contains(&all), "{all}");
        assert_eq!(verdict, Verdict::Disable(DisabledReason::ReceiverAway));
    }

    #[test]
    fn waits_get_longer_by_chance_and_never_shorter() {
        assert_eq!(waits(AWAY, u8::MAX).0[1..4], [33, 132, 660]);
        for chance in 0..=u8::MAX {
            let second = waits(AWAY, chance).0[1];
            assert!((30..=33).contains(&second), "{chance}: {second}");
        }
    }

    #[test]
    fn a_receiver_is_left_alone_for_as_long_as_it_asks_but_not_for_ever() {
        let after = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            waits(Attempt::Away { retry_after }, 0).0[0]
        };
        assert_eq!([1, 60, 1_000_000].map(after), [5, 60, 86_400]);
    }

    #[test]
    fn a_refused_event_is_tried_ten_times_in_ten_minutes_and_put_aside() {
        for chance in [0, u8::MAX] {
            let (tried, verdict) = waits(Attempt::Refused, chance);
            assert_eq!((tried.len() + 1, verdict), (10, Verdict::PutAside));
            assert!(tried.iter().sum::<u64>() <= 600, "{tried:?}");
        }
        let mut delivery = Delivery::after(Seq::new(6));
        for _ in 0..10 {
            delivery.note(Seq::new(7), Attempt::Refused, "no", at(0), 0);
        }
        let last_error = Some(DeliveryError { at: at(0), message: "no".to_owned() });
        assert_eq!(delivery, Delivery { last_error, ..Delivery::after(Seq::new(7)) });
    }

    #[test]
    fn a_receiver_that_is_back_counts_as_never_away_and_one_that_is_away_does_not_refuse() {
        let mut delivery = Delivery::after(Seq::new(6));
        delivery.note(Seq::new(7), AWAY, "no", at(0), 0);
        delivery.note(Seq::new(7), Attempt::Refused, "no", at(5), 0);
        assert_eq!((delivery.misses, delivery.refusals, delivery.away_since), (0, 1, None));
        delivery.note(Seq::new(7), AWAY, "no", at(60), 0);
        assert_eq!((delivery.refusals, delivery.away_since), (1, Some(at(60))));
        assert_eq!(delivery.note(Seq::new(7), Attempt::Delivered, "no", at(65), 0), Verdict::GoOn);
        assert_eq!(delivery, Delivery::after(Seq::new(7)));
    }

    #[test]
    fn a_receiver_that_is_gone_is_disabled_at_once_and_goes_on_where_it_stood() {
        let mut delivery = Delivery::after(Seq::new(6));
        let gone = Verdict::Disable(DisabledReason::ReceiverGone);
        assert_eq!(delivery.note(Seq::new(7), Attempt::Gone, "no", at(0), 0), gone);
        assert!(!delivery.is_due(Timestamp::MAX));
        assert_eq!(delivery.enabled(), Delivery::after(Seq::new(6)));
    }
}
