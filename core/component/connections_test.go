package component

import (
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/socket"
)

// several lets gate.test have n connections.
func several(n int, spread bool, more func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Components[0].Connections, c.Components[0].Spread = n, spread
		if more != nil {
			more(c)
		}
	}
}

func (o *testServer) say(from, text string) {
	o.router.Route(message("bot@gate.test", from, text))
}

// The oldest connection is used, and the next one at its end.
func TestStandby(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, several(2, false, nil))
	first, second := o.attached("gate.test"), o.attached("gate.test")
	for i := range 20 {
		o.say(fmt.Sprintf("user%d@home.test/a", i), "one")
		first.Until("one")
	}
	second.Send("<message from='gate.test' to='home.test' id='from the second'/>") // it may send
	if st := o.home.next(t); st.ID != "from the second" {
		t.Errorf("%s", st)
	}
	first.Send("</stream:stream>")
	if got := first.Rest(); !strings.HasSuffix(got, "</stream:stream>") {
		t.Errorf("%q", got)
	}
	o.say("romeo@home.test/a", "two")
	second.Until("two")
	third := o.attached("gate.test")
	o.say("romeo@home.test/a", "three")
	second.Until("three")
	o.attached("gate.test") // one too many: the oldest goes
	if got := second.Rest(); !strings.Contains(got, "<conflict ") {
		t.Errorf("%q", got)
	}
	o.say("romeo@home.test/a", "four")
	third.Until("four")
}

// All stanzas of a sender go to one connection, whatever resources it uses, and all connections are used.
func TestSpread(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, several(3, true, nil))
	var peers []*rawstream.Peer
	for range 3 {
		peers = append(peers, o.attached("gate.test"))
	}
	const users = 60
	for i := range 5 {
		for u := range users {
			o.say(fmt.Sprintf("user%d@home.test/r%d", u, i), fmt.Sprintf("u%d-%d;", u, i))
		}
	}
	o.stop()
	got := make([]string, len(peers))
	for i, p := range peers {
		got[i] = p.Rest()
	}
	seen := 0
	for i := range got {
		if !strings.Contains(got[i], "<body>") {
			t.Errorf("connection %d got nothing", i)
		}
		for u := range users {
			at := -1
			for n := range 5 {
				mark := fmt.Sprintf("<body>u%d-%d;</body>", u, n)
				where := strings.Index(got[i], mark)
				if where >= 0 {
					seen++
				}
				if (where >= 0) != (strings.Contains(got[i], fmt.Sprintf("<body>u%d-0;</body>", u))) {
					t.Errorf("user %d uses several connections", u)
				}
				if where >= 0 && where < at {
					t.Errorf("user %d: out of order", u)
				}
				at = max(at, where)
			}
		}
	}
	if seen != users*5 {
		t.Errorf("%d of %d arrived", seen, users*5)
	}
}

// What a connection has not taken when it ends goes to the other one, in order and before what comes later. What it had perhaps
// taken goes back to the senders: the component gets nothing twice.
func TestUnwrittenGoesToStandby(t *testing.T) {
	t.Parallel()
	for name, spread := range map[string]bool{"standby": false, "spread": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTestServer(t, several(2, spread, func(c *Config) { c.Limits.Queue = 1 << 20 }))
			first := o.attached("gate.test") // and reads no more
			body := strings.Repeat("x", 10_000)
			n := 0
			send := func() {
				n++
				st := message("bot@gate.test", "romeo@home.test/a", fmt.Sprintf("%d;%s", n, body))
				st.ID = fmt.Sprint(n) // which an error has too
				o.router.Route(st)
			}
			o.stall("gate.test", send)
			second := o.attached("gate.test")
			o.endOldest("gate.test")
			for range 20 {
				send()
			}
			o.say("romeo@home.test/a", "the last one")
			text := second.Until("the last one")
			_ = first.SetReadDeadline(time.Now().Add(testTimeout))
			before, _ := first.Remains()
			back := map[string]bool{}
			arrived := func(i int) bool {
				mark := fmt.Sprintf("<body>%d;", i)
				return strings.Contains(text, mark) || strings.Contains(before, mark+body)
			}
			for i := 1; i <= n; i++ {
				for !arrived(i) && !back[fmt.Sprint(i)] {
					if st := o.home.next(t); st.Err() != nil {
						back[st.ID] = true
					}
				}
			}
			at := 0
			for i := 1; i <= n; i++ {
				mark := fmt.Sprintf("<body>%d;", i)
				has, had := strings.Count(text, mark), strings.Count(before, mark+body)
				if has+had > 1 {
					t.Errorf("message %d came %d times", i, has+had)
				}
				if where := strings.Index(text, mark); where >= 0 {
					if where < at {
						t.Errorf("message %d is out of order", i)
					}
					at = where
				}
			}
			if at == 0 {
				t.Error("the second connection got nothing")
			}
		})
	}
}

// Without another connection the senders get it back.
func TestUnwrittenGoesBack(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Queue = 1 << 20 })
	o.attached("gate.test") // and reads no more
	body := strings.Repeat("x", 10_000)
	o.stall("gate.test", func() { o.say("romeo@home.test/a", body) })
	o.endOldest("gate.test")
	for range 10 {
		if e := o.home.next(t).Err(); e == nil || e.Condition != "service-unavailable" || e.Type != "wait" {
			t.Errorf("answered %v", e)
		}
	}
}

// stall sends until a component that does not read has taken all that its socket takes, and a quarter of a MiB is left.
func (o *testServer) stall(domain string, send func()) {
	o.t.Helper()
	const enough = 256 << 10
	for limit := time.Now().Add(testTimeout); time.Now().Before(limit); {
		for o.pending(domain) < enough {
			send()
		}
		stalled := true
		for before := o.pending(domain); stalled && time.Now().Before(limit); { // the buffers of the system grow
			time.Sleep(100 * time.Millisecond)
			now := o.pending(domain)
			if now == before {
				break
			}
			before, stalled = now, now >= enough
		}
		if stalled {
			return
		}
	}
	o.t.Fatal("everything is written")
}

// pending returns the bytes that a component's oldest connection has not taken.
func (o *testServer) pending(domain string) int {
	e := o.server.endpoints[domain]
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conns[0].Queue().Pending()
}

// endOldest ends the oldest connection as if its socket had failed.
func (o *testServer) endOldest(domain string) {
	e := o.server.endpoints[domain]
	e.mu.Lock()
	c := e.conns[0].Conn
	e.mu.Unlock()
	c.Stop(net.ErrClosed)
	rawstream.Eventually(o.t, "the connection is given up", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.conns) == 0 || e.conns[0].Conn != c
	})
}

// A component that sends and does not read the answers is not read from.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, func(c *Config) { c.Limits.Queue = 256 << 10 })
	p := o.attached("gate.test")
	ask := "<iq type='get' id='1' from='gate.test/r' to='gate.test'><q xmlns='urn:x'>" + strings.Repeat("x", 8000) + "</q></iq>" // comes back
	written := make(chan int)
	go func() {
		n := 0
		defer func() { written <- n }()
		_ = p.SetWriteDeadline(time.Now().Add(3 * time.Second))
		for range 4000 { // 32 MB
			if _, err := p.Write([]byte(ask)); err != nil {
				return
			}
			n++
		}
	}()
	if n := <-written; n == 4000 {
		t.Error("everything was read")
	}
	if !o.server.Attached(jid.MustParse("gate.test")) || o.server.Counters.Slow.Load() > 0 {
		t.Error("the component was cut off")
	}
	_ = p.Close()
}

// A component's rate is that of all its connections together.
func TestComponentRate(t *testing.T) {
	t.Parallel()
	o := newTestServer(t, several(2, false, func(c *Config) { c.Components[0].Rate = 64 << 10 }))
	first, second := o.attached("gate.test"), o.attached("gate.test")
	text := strings.Repeat("<message from='gate.test' to='home.test'><body>"+strings.Repeat("x", 10_000)+"</body></message>", 10)
	begun := time.Now()
	first.Send(text)
	second.Send(text)
	first.Send("<message from='gate.test' to='home.test' id='a'/>")
	second.Send("<message from='gate.test' to='home.test' id='b'/>")
	for range 22 {
		o.home.next(t)
	}
	if took := time.Since(begun); took < 500*time.Millisecond { // 128 KiB at once, 72 KiB at 64 KiB a second
		t.Errorf("200 kB took %v", took)
	}
	if o.server.Counters.Throttled.Load() == 0 {
		t.Error("not counted")
	}
}

// A listener for components that begin with TLS.
func TestDirectTLS(t *testing.T) {
	t.Parallel()
	own, err := socket.NewSelfSignedCertificate(filepath.Join(t.TempDir(), "certificate"), []string{"home.test"})
	if err != nil {
		t.Fatal(err)
	}
	o := newTestServer(t, func(c *Config) { c.Certificates = own.Certificate })
	p := rawstream.Dial(t, o.direct[0].Addr().String())
	p.TLS(&tls.Config{InsecureSkipVerify: true, ServerName: "gate.test"})
	p.Send(open("gate.test"))
	p.Send("<handshake>" + handshake(idOf(t, p.Until(">")+p.Until(">")), "s3cret") + "</handshake>")
	p.Until("<handshake/>")
	p.Send("<message from='gate.test' to='home.test' id='tls'/>")
	if st := o.home.next(t); st.ID != "tls" {
		t.Errorf("%s", st)
	}
	plain := rawstream.Dial(t, o.direct[0].Addr().String())
	plain.Send(open("gate.test"))
	if got, _ := plain.Remains(); strings.Contains(got, "<stream:stream") {
		t.Errorf("without TLS answered %q", got)
	}
}
