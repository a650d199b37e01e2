package s2s

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

const nsSM = " xmlns='urn:xmpp:sm:3'"

// Stanzas are counted from enable on, and acknowledged on request (XEP-0198 §4).
func TestAcknowledged(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	p := a.authenticated()
	p.Send("<r" + nsSM + "/>")
	p.Until("<unexpected-request ")
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='0'/><enable" + nsSM + "/>")
	if got := p.Until("<enabled" + nsSM + "/>"); strings.Contains(got, "resume") {
		t.Errorf("got %q", got)
	}
	p.Send("<message from='x@evil.test' to='romeo@a.test' id='1'/><presence from='x@evil.test' to='romeo@a.test'/><r" + nsSM + "/>")
	p.Until("<a" + nsSM + " h='2'/>")
	p.Send("<a" + nsSM + " h='0'/><r" + nsSM + "/>")
	p.Until("<a" + nsSM + " h='2'/>")
	p.Send("<a" + nsSM + " h='1'/>")
	if got, _ := p.Remains(); !strings.Contains(got, "handled-count-too-high") {
		t.Errorf("got %q", got)
	}
}

func (o *node) resumableStream() (c *other, id string) {
	o.t.Helper()
	c = o.authenticated()
	c.Send("<enable" + nsSM + " resume='true'/>")
	_, id, _ = strings.Cut(c.Until("/>"), " id='")
	id, _, _ = strings.Cut(id, "'")
	if len(id) < 20 {
		o.t.Fatalf("id %q", id)
	}
	return c, id
}

// A stream is resumed by the pair that had it, once, and only if it was not ended.
func TestResume(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	message := "<message from='x@evil.test' to='romeo@a.test'/>"
	first, id := a.resumableStream()
	first.Send(message + message + message + "<r" + nsSM + "/>")
	first.Until("<a" + nsSM + " h='3'/>")
	resume := "<resume" + nsSM + " h='0' previd='" + id + "'/>"

	stolen := a.connect()
	stolen.secure("bank.test", "a.test", n.ca.sign(t, nil, "bank.test"))
	stolen.Send(external + "=</auth>")
	stolen.Until("<success")
	stolen.open("bank.test", "a.test")
	stolen.Send(resume)
	stolen.Until("<item-not-found")

	second := a.authenticated() // while the first one is there
	second.Send(resume)
	second.Until("<resumed" + nsSM + " h='3' previd='" + id + "'/>")
	if got, _ := first.Remains(); !strings.Contains(got, "<conflict ") {
		t.Errorf("got %q", got)
	}
	second.Send(message + "<r" + nsSM + "/>")
	second.Until("<a" + nsSM + " h='4'/>")
	_ = second.Close()

	third := a.authenticated() // after a cut
	third.Send(resume)
	third.Until("<resumed" + nsSM + " h='4' previd='" + id + "'/>")
	third.Send("<db:result from='evil.test' to='other.test'>x</db:result>") // no further pair
	third.Until("type='error'")
	third.Send("</stream:stream>")
	third.Rest()

	fourth := a.authenticated()
	fourth.Send(resume)
	fourth.Until("<item-not-found")
	fourth.Send("<enable" + nsSM + "/><enable" + nsSM + "/>")
	if got, _ := fourth.Remains(); !strings.Contains(got, "unexpected-request") || !strings.Contains(got, "policy-violation") {
		t.Errorf("got %q", got)
	}
}

func TestResumeTooLate(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	p, id := a.resumableStream()
	_ = p.Close()
	r := a.server.resumables.take(id, pair{ours: "a.test", theirs: "evil.test"})
	<-r.gone
	a.server.resumables.all[id] = r
	a.server.resumables.sweep(time.Now().Add(time.Hour))
	p = a.authenticated()
	p.Send("<resume" + nsSM + " h='0' previd='" + id + "'/>")
	p.Until("<item-not-found")
}

// Nothing of stream management is there before authentication.
func TestManagementNeedsAuthentication(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", nil)
	for _, send := range []string{"<enable" + nsSM + "/>", "<resume" + nsSM + " h='0' previd='x'/>", "<r" + nsSM + "/>"} {
		p := a.connect()
		p.secure("evil.test", "a.test", nil)
		p.Send(send)
		if got, _ := p.Remains(); !strings.Contains(got, "not-authorized") {
			t.Errorf("%s: %q", send, got)
		}
	}
}

// A server that opens and cuts one stream after the other makes this one keep few of them, and not their connections.
func TestManyCutStreams(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a := newNode(t, n, "a.test", manyConnections)
	last := ""
	for range maxCut + 3 {
		var p *other
		p, last = a.resumableStream()
		_ = p.Close()
		rawstream.Eventually(t, "the connection has ended", func() bool { return a.server.Counters.In.Load() == 0 })
		rawstream.Eventually(t, "the stream can be resumed", func() bool {
			a.server.resumables.mu.Lock()
			defer a.server.resumables.mu.Unlock()
			r := a.server.resumables.all[last]
			return r != nil && r.conn.Load() == nil
		})
	}
	if got := len(a.server.resumables.all); got > maxCut {
		t.Errorf("%d streams are kept", got)
	}
	p := a.authenticated()
	p.Send("<resume" + nsSM + " h='0' previd='" + last + "'/>")
	p.Until("<resumed")
}
