package outbox

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

const (
	typingEvery = 4 * time.Second // at most one call for each login in a conversation
	typingBurst = 3               // calls at once, for those who write short messages
	maxTyping   = 1000            // users of one conversation
)

// typing is the typing state that was last sent to the network. It is not stored in the outbox, and may be
// dropped (XEP-0085).
type typing struct {
	by   map[jid.JID]bool // whether a local user (a bare JID) is typing
	last time.Time        // of a call
	// calls limits those that report that somebody types: many people of linked rooms have one login, whose other calls must not wait for that.
	calls map[transports.LoginID]*rate.Limiter
}

// allow reports whether a login may report that somebody types.
func (t *typing) allow(id transports.LoginID, now time.Time) bool {
	if t.calls == nil {
		t.calls = map[transports.LoginID]*rate.Limiter{}
	}
	if t.calls[id] == nil {
		t.calls[id] = rate.NewLimiter(rate.Every(typingEvery), typingBurst)
	}
	return t.calls[id].AllowN(now, 1)
}

// ended notes that a message ends the typing.
func (t *typing) ended(who jid.JID) { delete(t.by, who.Bare()) }

// sendTyping reports to the network that a user is typing, or has stopped.
func (q *Queue) sendTyping(l *logins.Login, from jid.JID, st *stanza.Stanza) {
	on, off := convert.TypingState(st)
	if q.conv.Row.Net == "" || !l.Caps(q.conv.Row.Net).Typing || !on && !off {
		return
	}
	client, ok := l.Client().(transports.Typer)
	t, who := &q.typing, from.Bare()
	if !ok || !on && !t.by[who] || on && t.by[who] && q.env.Now().Sub(t.last) < typingEvery {
		return
	}
	if on && !t.allow(l.ID, q.env.Now()) {
		return
	}
	if t.by == nil || len(t.by) > maxTyping {
		t.by = map[jid.JID]bool{}
	}
	t.by[who], t.last = on, q.env.Now()
	id := q.conv.Row.Net
	q.env.Group.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
		defer cancel()
		if err := client.Typing(ctx, id, transports.Typing{On: on}); err != nil {
			q.env.Log.Debug("sending typing", "room", id, "error", err)
		}
	})
}
