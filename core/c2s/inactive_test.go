package c2s

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	inactive  = "<inactive xmlns='urn:xmpp:csi:0'/>"
	active    = "<active xmlns='urn:xmpp:csi:0'/>"
	composing = "<message to='romeo@home.test/orchard' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
	paused    = "<message to='romeo@home.test/orchard' type='chat'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>"
)

func presenceTo(status string) string {
	return "<presence to='romeo@home.test/orchard'><status>" + status + "</status></presence>"
}

// What nobody misses is held for an inactive client, the last of each kind and sender, until something urgent is sent or it is active.
func TestInactive(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, nurse, romeo := p.session("juliet", "balcony"), p.session("nurse", "hall"), p.session("romeo", "orchard")
	romeo.Send(inactive + inactive)
	romeo.ping()
	juliet.Send(presenceTo("1") + composing + presenceTo("2") + paused)
	juliet.ping()
	nurse.Send(presenceTo("nurse"))
	nurse.ping()
	// The answer to this is urgent, and would come before what is held if that were not sent first.
	juliet.Send(chatMessage("romeo@home.test/orchard", "urgent"))
	got := romeo.Until("urgent</body></message>")
	for text, n := range map[string]int{"<status>1<": 0, "<status>2<": 1, "<composing": 0, "<paused": 1, ">nurse<": 1} {
		if strings.Count(got, text) != n {
			t.Errorf("%s is %d times in %s", text, strings.Count(got, text), got)
		}
	}
	bound := p.host.Local(jid.MustParse("romeo@home.test")).Session(jid.MustParse("romeo@home.test/orchard"))
	if bound.Reach() != router.Inactive {
		t.Errorf("reach %d", bound.Reach())
	}
	juliet.Send(presenceTo("3"))
	juliet.ping()
	romeo.Send(active + "<iq type='get' id='sync'><nobody xmlns='urn:handles:this'/></iq>")
	if got := romeo.Until("id='sync'"); !strings.Contains(got, "<status>3<") || bound.Reach() != router.Active { // XEP-0352 §5.1
		t.Errorf("got %s", got)
	}
	juliet.Send(presenceTo("4"))
	romeo.Until("<status>4<")
	k := &p.server.Counters
	if k.Held.Load() != 6 || k.Dropped.Load() != 2 || k.Inactive.Load() != 0 {
		t.Errorf("%d held, %d dropped, %d inactive", k.Held.Load(), k.Dropped.Load(), k.Inactive.Load())
	}
}

func TestInactiveBounded(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.InactiveQueue = 5 })
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	romeo.Send(inactive)
	romeo.ping()
	for i := range 6 {
		juliet.Send(fmt.Sprintf("<message to='romeo@home.test/orchard'><received xmlns='urn:xmpp:receipts' id='r%d'/></message>", i))
	}
	if got := romeo.Until("r5"); !strings.Contains(got, "r0") {
		t.Errorf("got %s", got)
	}
}

// What is held for an inactive client comes when its session is resumed, which makes it active (XEP-0352 §5.2).
func TestInactiveResumed(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	id := romeo.enable()
	romeo.Send(inactive)
	romeo.ping()
	juliet.Send(presenceTo("1") + presenceTo("2"))
	juliet.ping()
	p.cut(romeo)
	juliet.Send(presenceTo("3"))
	juliet.ping()
	romeo, got := p.resumes("romeo", id, 1)
	juliet.Send(presenceTo("4"))
	got += romeo.Until("<status>4<")
	if strings.Contains(got, ">1<") || strings.Contains(got, ">2<") || !strings.Contains(got, ">3<") {
		t.Errorf("got %s", got)
	}
}

// An inactive client that is gone for good leaves nothing behind but what is counted.
func TestInactiveEnds(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	romeo.Send(inactive)
	romeo.ping()
	juliet.Send(composing)
	juliet.ping()
	romeo.Send("</stream:stream>")
	if got := romeo.Rest(); strings.Contains(got, "composing") {
		t.Errorf("got %s", got)
	}
	if n := p.server.Counters.Inactive.Load(); n != 0 {
		t.Errorf("%d sessions are said to be inactive", n)
	}
}

// When the connection is lost, the features are notified once of what the client has not acknowledged, but not of what came while it was inactive:
// they knew that when it came.
func TestDetachedIsReported(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	notified := make(chan string, 10)
	p.host.Use(router.Feature{Name: "recorder", Stages: []router.Stage{{Name: "recorder", Detached: func(_ context.Context, b *router.Bound, unacked []*stanza.Stanza) {
		list := b.JID().String()
		for _, st := range unacked {
			list += " " + st.ID
		}
		notified <- list
	}}}})
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	message := func(id string) string {
		return "<message to='romeo@home.test/orchard' type='chat' id='" + id + "'><body>x</body></message>"
	}
	id := romeo.enable()
	juliet.Send(message("m1") + message("m2"))
	romeo.Until("id='m2'")
	romeo.Send("<a xmlns='urn:xmpp:sm:3' h='1'/>" + inactive)
	romeo.ping()
	juliet.Send(message("m3"))
	romeo.Until("id='m3'")
	p.cut(romeo)
	if got := <-notified; got != "romeo@home.test/orchard m2" && !strings.HasPrefix(got, "romeo@home.test/orchard m2 ") {
		t.Errorf("notified of %q", got)
	} else if strings.Contains(got, "m3") {
		t.Errorf("notified of m3: %q", got)
	}
	romeo, _ = p.resumes("romeo", id, 1)
	romeo.Until("id='m3'")
	juliet.Send(message("m4"))
	romeo.Until("id='m4'")
	p.cut(romeo)
	if got := <-notified; !strings.HasSuffix(got, " m4") || strings.Contains(got, "m3") {
		t.Errorf("notified of %q after the session was resumed", got)
	}
}
