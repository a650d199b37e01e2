package bridge

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// wakeWaiting has a room go on with what the last run left.
func (g *Gateway) wakeWaiting(left tables.Backlog) {
	g.poke(left.Room, func(w *worker) bool {
		w.pending += left.Events
		w.queued += left.Calls
		w.live = w.live || left.Held
		w.inbound, w.outward = true, true
		return true
	})
}

// waitMore is called when the head cannot be sent now: it sees to it that the worker
// looks again in time, and that the senders know. Coming online wakes the worker too.
func (w *worker) waitMore(ctx context.Context, a *account) {
	now := w.g.now()
	next := w.head.Created.Add(w.g.set.KeepWaiting)
	if w.notNow.After(now) && w.notNow.Before(next) {
		next = w.notNow
	}
	if tell := w.tellWaiting(ctx, a, now); !tell.IsZero() && tell.Before(next) {
		next = tell
	}
	w.wakeAt(next.Sub(now))
}

// tellWaiting tells each sender once that what they wrote here waits, and returns when to
// look again; zero is never.
func (w *worker) tellWaiting(ctx context.Context, a *account, now time.Time) (next time.Time) {
	rows, err := w.g.store.PendingCalls(ctx, w.id, w.g.set.Queue)
	if err != nil {
		return now.Add(time.Second)
	}
	told := map[jid.JID]bool{}
	for _, r := range rows {
		if r.Notified {
			told[r.Sender.Bare()] = true
		}
	}
	var tell []tables.Call
	for _, r := range rows {
		who := r.Sender.Bare()
		if told[who] || r.Kind == outRead {
			continue
		}
		if due := r.Created.Add(w.g.set.TellAfter); due.After(now) {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		told[who] = true
		tell = append(tell, r)
	}
	if len(tell) == 0 {
		return next
	}
	b := &tables.Batch{}
	for _, r := range rows { // all that they wrote so far: when the first is sent the others are not told of anew
		if told[r.Sender.Bare()] && !r.Notified {
			r.Notified = true
			b.Outbox.Update = append(b.Outbox.Update, r)
			w.head.Notified = w.head.Notified || r.Seq == w.head.Seq
		}
	}
	if err := w.commit(ctx, b); err != nil {
		return now.Add(time.Second)
	}
	for _, r := range tell {
		w.notice(r.Sender, w.waitingText(a, r))
	}
	return next
}

func (w *worker) waitingText(a *account, r tables.Call) string {
	until := r.Created.Add(w.g.set.KeepWaiting).UTC().Format("Mon 15:04 UTC")
	if _, status, _ := a.standing(); status != tables.StatusLinked {
		return fmt.Sprintf("Your %s account has to be linked again: write to %s. Your messages wait until %s.", w.g.info.Name, w.g.domain, until)
	}
	return fmt.Sprintf("%s cannot be reached at the moment. Your messages wait and are sent as soon as it can, until %s.", w.g.info.Name, until)
}

// notice tells a user something in the conversation or room that it concerns.
func (w *worker) notice(to jid.JID, text string) {
	from, typ, err := w.address()
	if err != nil {
		return
	}
	if w.direct() {
		w.g.send(stanza.NewMessage(to.Bare(), from, typ, body("["+text+"]")))
		return
	}
	sent := false
	if w.room != nil {
		for _, o := range w.room.Occupants() {
			for _, s := range o.Sessions {
				if s.Bare() == to.Bare() {
					w.g.send(stanza.NewMessage(s, from, typ, body(text), hint("no-store")))
					sent = true
				}
			}
		}
	}
	if !sent {
		w.g.tell(to.Bare(), fmt.Sprintf("%s (%s): %s", w.title(), from, text))
	}
}

// title is what to call the room.
func (w *worker) title() string {
	if w.row.Name != "" {
		return w.row.Name
	}
	return string(w.row.Net)
}

// tell is a message from the gateway itself.
func (g *Gateway) tell(to jid.JID, text string) {
	g.send(stanza.NewMessage(to.Bare(), g.domain, stanza.TypeChat, body(text)))
}

// retryIn notes that the head is to be tried again, not before the network allows it.
func (w *worker) retryIn(e *transports.Error) {
	d := backoff(w.tries)
	if e != nil && e.After > d {
		d = e.After
	}
	w.tries++
	w.notNow = w.g.now().Add(d)
}
