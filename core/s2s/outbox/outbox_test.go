package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is a Store that counts the messages that it has.
type counted int

func (c *counted) Add(_ *stanza.Stanza, done func(error)) func() {
	*c++
	if done != nil {
		done(nil)
	}
	return func() { *c-- }
}

func (c *counted) Load(context.Context, func(*stanza.Stanza, time.Time, func())) error { return nil }

func (c *counted) Flush(context.Context) error { return nil }

func chat(to, text string) *stanza.Stanza {
	return stanza.NewMessage(jid.MustParse(to), jid.MustParse("romeo@a.test/x"), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text))
}

// What may be lost is not kept.
func TestKeeps(t *testing.T) {
	t.Parallel()
	o := New(new(counted), &Counters{})
	const body = "<body>text</body>"
	for _, c := range []struct {
		typ, payload string
		account      bool
		want         bool
	}{
		{"chat", body, true, true},
		{"", body, true, true},
		{"chat", body, false, true},
		{"groupchat", body, true, true},
		{"groupchat", body, false, false},
		{"headline", body, true, false},
		{"error", body, true, false},
		{"chat", "<active xmlns='http://jabber.org/protocol/chatstates'/>", true, false},
		{"chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", true, true},
		{"chat", body + "<no-store xmlns='urn:xmpp:hints'/>", true, false},
		{"chat", body + "<no-permanent-store xmlns='urn:xmpp:hints'/>", true, false},
		{"chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>", true, true},
	} {
		st := &stanza.Stanza{Kind: stanza.Message, Type: c.typ, Payload: c.payload}
		if got := o.Keeps(st, c.account); got != c.want {
			t.Errorf("%s: %v", st, got)
		}
	}
	for _, kind := range []stanza.Kind{stanza.Presence, stanza.IQ} {
		if o.Keeps(&stanza.Stanza{Kind: kind, Payload: body}, true) {
			t.Errorf("%s is kept", kind)
		}
	}
	if New(nil, &Counters{}).Keeps(chat("juliet@b.test", "1"), true) {
		t.Error("kept without a store")
	}
	o.SetLimits(Limits{Off: true})
	if o.Keeps(chat("juliet@b.test", "1"), true) {
		t.Error("kept although that is off")
	}
}

// An outbox that is empty again counts nothing.
func TestRelease(t *testing.T) {
	t.Parallel()
	var store counted
	o := New(&store, &Counters{})
	st, other := chat("juliet@b.test", "1"), chat("juliet@c.test", "2")
	o.Add(st, nil)
	o.Add(other, nil)
	again, _ := o.Add(st, nil)
	if again == st || !o.Has(st) || !o.Has(again) || store != 3 {
		t.Errorf("%d messages", store)
	}
	o.Release(st, other)
	o.Release(st)
	if o.Has(st) || !o.Has(again) || store != 1 {
		t.Errorf("%d messages", store)
	}
	o.Release(again)
	if store != 0 || o.bytes != 0 || len(o.pairs) != 0 || len(o.all) != 0 {
		t.Errorf("%d messages, %d bytes of %d pairs", store, o.bytes, len(o.pairs))
	}
}

// Domains that acknowledge nothing do not take the share of others.
func TestTotal(t *testing.T) {
	t.Parallel()
	var store counted
	k := &Counters{}
	o := New(&store, k)
	o.SetLimits(Limits{Total: 10_000})
	fill := func(to string) (n int) {
		for {
			if _, full := o.Add(chat(to, "text"), nil); full {
				return n
			}
			n++
		}
	}
	all := fill("juliet@b.test")
	if n := fill("juliet@c.test"); n < all/2-1 || n > all/2 {
		t.Errorf("%d messages of the second, %d of the first", n, all)
	}
	if n := fill("juliet@b.test"); n != 0 {
		t.Errorf("%d more of the first", n)
	}
	if k.Total.Load() != 3 {
		t.Errorf("counted %d times", k.Total.Load())
	}
}

// A message that was written is kept for settleWait, or until its stream ends properly, and no more than maxSettle of one pair.
func TestWritten(t *testing.T) {
	t.Parallel()
	var store counted
	o := New(&store, &Counters{})
	write := func(to string) {
		st, _ := o.Add(chat(to, "text"), nil)
		o.OnWritten(st)(fmt.Errorf("not written"))
		o.OnWritten(st)(nil)
	}
	for range maxSettle + 2 {
		write("juliet@b.test")
	}
	write("juliet@c.test")
	o.Settle("a.test", "d.test")
	if store != maxSettle+1 {
		t.Errorf("%d messages", store)
	}
	o.Settle("a.test", "b.test")
	if store != 1 {
		t.Errorf("%d messages are left", store)
	}
	o.Sweep(time.Now().Add(settleWait - time.Second))
	if store != 1 {
		t.Error("removed too early")
	}
	o.Sweep(time.Now().Add(settleWait))
	if store != 0 {
		t.Errorf("%d messages are left", store)
	}
	if o.OnWritten(chat("juliet@b.test", "1")) != nil || (*Outbox)(nil).OnWritten(chat("juliet@b.test", "1")) != nil {
		t.Error("a message that is not kept is noted")
	}
}
