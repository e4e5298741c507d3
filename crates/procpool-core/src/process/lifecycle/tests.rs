//! When a process is asked, killed or abandoned, case by case.

use std::ops::Add;
use std::time::Instant;

use super::*;

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, time: Duration) -> Moment {
        Moment { jobs: self.jobs + time, real: self.real + time }
    }
}

/// A later moment, with all jobs stopped in between.
fn paused(now: Moment, time: Duration) -> Moment {
    Moment { real: now.real + time, ..now }
}

fn due(moment: Moment) -> Deadline {
    Deadline::Jobs(moment.jobs)
}

fn due_for_real(moment: Moment) -> Deadline {
    Deadline::Real(moment.real)
}

const GRACE: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(10);
const OK: Status = Status::Exited(0);

fn started(timeout: Option<Duration>) -> (Lifecycle, Moment) {
    leaking(OnLeak::Kill, timeout)
}

fn leaking(on_leak: OnLeak, timeout: Option<Duration>) -> (Lifecycle, Moment) {
    let now = Instant::now();
    let now = Moment { jobs: now, real: now };
    (Lifecycle::new(now, timeout, Policy { grace: GRACE, on_leak }), now)
}

#[test]
fn without_a_timeout_there_is_nothing_to_wait_for_but_the_end() {
    let (mut life, now) = started(None);
    assert_eq!(life.deadline(), None);
    assert_eq!(life.tick(now + TIMEOUT), Action::Wait);
    life.end(now);
    assert_eq!(life.verdict(OK), End::Itself(OK));
    assert!(!life.has_leaked());
}

#[test]
fn a_timeout_is_never_early_asks_first_and_kills_after_the_grace_time() {
    let (mut life, now) = started(Some(TIMEOUT));
    let up = now + TIMEOUT;
    assert_eq!(life.tick(now + TIMEOUT.checked_sub(Duration::from_nanos(1)).unwrap()), Action::Wait);
    assert_eq!(life.tick(up), Action::RequestEnd(Signal::TERM));
    assert_eq!(life.tick(up), Action::Wait);
    assert_eq!(life.tick(up + GRACE), Action::Kill);
    life.end(up + GRACE);
    assert_eq!(life.verdict(OK), End::TimedOut(OK));
}

#[test]
fn a_job_that_exits_0_on_the_signal_of_its_timeout_has_still_timed_out() {
    let (mut life, now) = started(Some(TIMEOUT));
    assert_eq!(life.tick(now + TIMEOUT), Action::RequestEnd(Signal::TERM));
    life.end(now + TIMEOUT);
    assert_eq!(life.verdict(OK), End::TimedOut(OK));
}

#[test]
fn a_stop_asks_with_its_signal_and_a_kill_does_not_ask() {
    let (mut life, now) = started(None);
    assert_eq!(life.halt(Halt::Stop(Signal::INT), now), Action::RequestEnd(Signal::INT));
    assert_eq!(life.halt(Halt::Stop(Signal::INT), now), Action::Wait);
    assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
    assert_eq!(life.verdict(OK), End::Stopped(OK));

    let (mut life, now) = started(None);
    assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
    assert_eq!(life.verdict(OK), End::Stopped(OK));
}

#[test]
fn a_drain_lets_it_run() {
    let (mut life, now) = started(None);
    assert_eq!(life.halt(Halt::Drain, now), Action::Wait);
    assert_eq!(life.verdict(OK), End::Itself(OK));
}

#[test]
fn a_stop_after_the_timeout_changes_nothing() {
    let (mut life, now) = started(Some(TIMEOUT));
    assert_eq!(life.tick(now + TIMEOUT), Action::RequestEnd(Signal::TERM));
    assert_eq!(life.halt(Halt::Stop(Signal::INT), now + TIMEOUT), Action::Wait);
    assert_eq!(life.verdict(OK), End::TimedOut(OK));
}

#[test]
fn a_descendant_that_holds_a_stream_is_killed_then_given_up() {
    let (mut life, now) = started(None);
    life.end(now);
    assert_eq!(life.deadline(), Some(due(now + LEAK_WAIT)));
    assert_eq!(life.tick(now + LEAK_WAIT), Action::Kill);
    assert!(life.has_leaked());
    assert_eq!(life.tick(now + 2 * LEAK_WAIT), Action::GiveUp);
    assert_eq!(life.verdict(OK), End::Itself(OK));
}

#[test]
fn a_stream_that_is_given_up_after_a_kill_is_a_leak_too() {
    let (mut life, now) = started(None);
    life.end(now);
    assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
    assert!(!life.has_leaked());
    assert_eq!(life.tick(now + LEAK_WAIT), Action::GiveUp);
    assert!(life.has_leaked());
}

#[test]
fn the_rest_of_a_group_that_was_asked_to_end_has_the_whole_grace_time() {
    let (mut life, now) = started(None);
    life.halt(Halt::Stop(Signal::TERM), now);
    life.end(now);
    assert_eq!(life.deadline(), Some(due_for_real(now + GRACE)));
    assert_eq!(life.tick(now + GRACE), Action::Kill);
}

#[test]
fn a_timeout_that_moves_counts_from_the_start_and_not_as_it_was() {
    let (mut life, now) = started(None);
    life.move_timeout(Some(TIMEOUT));
    assert_eq!(life.deadline(), Some(due(now + TIMEOUT)));
    life.move_timeout(Some(2 * TIMEOUT));
    assert_eq!(life.tick(now + TIMEOUT), Action::Wait);
    life.move_timeout(Some(TIMEOUT / 2));
    assert_eq!(life.tick(now + TIMEOUT), Action::RequestEnd(Signal::TERM));
    life.move_timeout(None);
    assert_eq!(life.tick(now + TIMEOUT + GRACE), Action::Kill);
}

#[test]
fn a_timeout_beyond_the_clock_is_none() {
    let (life, _) = started(Some(Duration::MAX));
    assert_eq!(life.deadline(), None);
}

#[test]
fn one_that_may_keep_a_stream_is_given_up_without_a_kill() {
    let (mut life, now) = leaking(OnLeak::Keep, None);
    life.end(now);
    assert_eq!(life.tick(now + LEAK_WAIT), Action::GiveUp);
    assert!(life.has_leaked());
    assert_eq!(life.verdict(OK), End::Itself(OK));
}

#[test]
fn a_job_that_was_ended_keeps_nothing() {
    let (mut life, now) = leaking(OnLeak::Keep, Some(TIMEOUT));
    assert_eq!(life.tick(now + TIMEOUT), Action::RequestEnd(Signal::TERM));
    life.end(now + TIMEOUT);
    assert_eq!(life.tick(now + TIMEOUT + GRACE), Action::Kill);
}

#[test]
fn one_that_is_waited_for_has_until_the_timeout_and_then_the_grace_time() {
    let (mut life, now) = leaking(OnLeak::Wait, Some(TIMEOUT));
    life.end(now);
    assert_eq!(life.tick(now + LEAK_WAIT), Action::Wait);
    assert!(life.has_leaked());
    assert_eq!(life.verdict(OK), End::Itself(OK));
    let up = now + TIMEOUT;
    assert_eq!(life.deadline(), Some(due(up)));
    assert_eq!(life.tick(up), Action::RequestEnd(Signal::TERM));
    assert_eq!(life.tick(up + GRACE), Action::Kill);
    assert_eq!(life.tick(up + GRACE + LEAK_WAIT), Action::GiveUp);
    assert_eq!(life.verdict(OK), End::TimedOut(OK));
}

#[test]
fn one_that_is_waited_for_hears_a_stop_at_any_time() {
    for ended_before in [LEAK_WAIT / 2, 2 * LEAK_WAIT] {
        let (mut life, now) = leaking(OnLeak::Wait, None);
        life.end(now);
        let later = now + ended_before;
        assert_eq!(life.tick(later), Action::Wait);
        assert_eq!(life.halt(Halt::Stop(Signal::INT), later), Action::RequestEnd(Signal::INT));
        assert_eq!(life.tick(later + GRACE), Action::Kill);
        assert_eq!(life.verdict(OK), End::Stopped(OK));
    }
    let (mut life, now) = leaking(OnLeak::Wait, None);
    life.end(now);
    assert_eq!(life.tick(now + LEAK_WAIT), Action::Wait);
    assert_eq!(life.halt(Halt::Kill, now + LEAK_WAIT), Action::Kill);
    assert_eq!(life.tick(now + 2 * LEAK_WAIT), Action::GiveUp);
}

#[test]
fn while_jobs_are_stopped_a_timeout_stands_still_and_a_grace_time_passes() {
    let (mut life, now) = started(Some(TIMEOUT));
    let later = paused(now, 2 * TIMEOUT);
    assert_eq!(life.tick(later), Action::Wait);
    assert_eq!(life.halt(Halt::Stop(Signal::TERM), later), Action::RequestEnd(Signal::TERM));
    assert_eq!(life.tick(paused(later, GRACE)), Action::Kill);
    life.end(paused(later, GRACE));
    assert_eq!(life.tick(paused(later, GRACE + LEAK_WAIT)), Action::Kill);
    assert_eq!(life.tick(paused(later, GRACE + 2 * LEAK_WAIT)), Action::GiveUp);
}

#[test]
fn a_holder_that_is_stopped_is_not_blamed_before_the_run_is_told_to_end() {
    for halt in [Halt::Stop(Signal::TERM), Halt::Kill] {
        let (mut life, now) = started(None);
        life.end(now);
        let later = paused(now, TIMEOUT);
        assert_eq!(life.tick(later), Action::Wait);
        life.halt(halt, later);
        let over = paused(later, LEAK_WAIT);
        let expected = if halt == Halt::Kill { Action::GiveUp } else { Action::Kill };
        assert_eq!(life.tick(over), expected);
    }
}

#[test]
fn what_can_not_be_killed_is_left_behind_and_its_job_has_ended() {
    let (mut life, now) = started(Some(TIMEOUT));
    life.tick(now + TIMEOUT);
    let killed = now + TIMEOUT + GRACE;
    assert_eq!(life.tick(killed), Action::Kill);
    assert_eq!(life.deadline(), Some(due_for_real(killed + DYING)));
    assert_eq!(life.tick(killed), Action::Wait);
    assert_eq!(life.tick(killed + DYING), Action::LeaveBehind);
    assert_eq!(life.verdict(OK), End::TimedOut(OK));

    let (mut life, now) = started(None);
    assert_eq!(life.halt(Halt::Kill, now), Action::Kill);
    assert_eq!(life.tick(paused(now, DYING)), Action::LeaveBehind);
    assert_eq!(life.verdict(OK), End::Stopped(OK));
}
