package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// wait is called when the first call cannot be made now: it has the queue woken in time,
// and notifies the senders. A login that comes online wakes the queue too.
func (q *Queue) wait(ctx context.Context, l *logins.Login) {
	now := q.env.Now()
	next := q.pending[0].Created.Add(q.env.Settings.KeepWaiting)
	if q.retry.notBefore.After(now) && q.retry.notBefore.Before(next) {
		next = q.retry.notBefore
	}
	if due := q.notifyWaiting(ctx, l, now); !due.IsZero() && due.Before(next) {
		next = due
	}
	q.lookAfter(next.Sub(now))
}

// notifyWaiting notifies each sender once that what they wrote here waits, and returns when to
// look again; zero is never.
func (q *Queue) notifyWaiting(ctx context.Context, l *logins.Login, now time.Time) (next time.Time) {
	calls, err := q.outbox.calls.PendingCalls(ctx, q.conv.ID, q.env.Settings.Queue)
	if err != nil {
		return now.Add(time.Second)
	}
	notified := map[jid.JID]bool{}
	for _, c := range calls {
		if c.Notified {
			notified[c.Sender.Bare()] = true
		}
	}
	var due []tables.Call
	for _, c := range calls {
		who := c.Sender.Bare()
		if notified[who] || convert.Kind(c.Kind) == convert.SendRead || decode(c).Linked != nil {
			continue
		}
		if at := c.Created.Add(q.env.Settings.NotifyAfter); at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		notified[who] = true
		due = append(due, c)
	}
	if len(due) == 0 {
		return next
	}
	b := &tables.Batch{}
	for _, c := range calls { // all that they wrote so far, so that they are not notified again when the first is sent
		if notified[c.Sender.Bare()] && !c.Notified {
			c.Notified = true
			b.Outbox.Update = append(b.Outbox.Update, c)
		}
	}
	if err := q.conv.Commit(ctx, b); err != nil {
		return now.Add(time.Second)
	}
	for i := range q.pending {
		q.pending[i].Notified = q.pending[i].Notified || notified[q.pending[i].Sender.Bare()]
	}
	for _, c := range due {
		q.notice(c.Sender, q.waitingText(l, c))
	}
	return next
}

func (q *Queue) waitingText(l *logins.Login, c tables.Call) string {
	until := c.Created.Add(q.env.Settings.KeepWaiting).UTC().Format("Mon 15:04 UTC")
	if !l.Linked() {
		return fmt.Sprintf("Your %s account has to be linked again: write to %s. Your messages wait until %s.", q.env.Info.Name, q.env.Domain, until)
	}
	if why, limited := convert.Waits(q.retry.why); limited && l.Online() {
		return fmt.Sprintf("%s. Your messages wait and are sent as soon as they can be, until %s.", why, until)
	}
	return fmt.Sprintf("%s cannot be reached at the moment. Your messages wait and are sent as soon as it can, until %s.", q.env.Info.Name, until)
}
