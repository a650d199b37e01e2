package server

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A client that logs in and loses its connection, without having read more than the first stored message, gets the
// messages that its socket has not taken when it logs in again, each once and in order.
func TestResetDuringDelivery(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	const n, size = 150, 100_000 // more than the buffers of two sockets and the queue hold
	juliet, romeo := jid.MustParse("juliet@home.test"), jid.MustParse("romeo@home.test/x")
	stored := make(chan error, n)
	for i := range n {
		st := stanza.NewMessage(juliet, romeo, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprintf("%03d ", i)+strings.Repeat("x", size)))
		p.server.store.AddOffline(juliet, offline.Message{ID: st.ID, Stanza: st, Received: time.Now()}, func(err error) { stored <- err })
	}
	for range n {
		if err := <-stored; err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		c := p.loggedIn("juliet")
		tcp := c.Conn.(*tls.Conn).NetConn().(*net.TCPConn)
		if err := tcp.SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		c.Send(bindX)
		c.Until("/x</jid></bind></iq>")
		c.Send("<presence/>")
		c.Until("<message ")
		if err := tcp.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = tcp.Close()
		rawstream.Eventually(t, "the session is gone", func() bool { return p.server.clients.Counters.Sessions.Load() == 0 })
	}
	c := p.loggedIn("juliet")
	c.Send(bindX + "<presence/>")
	got := readNumbers(t, c, fmt.Sprint(n-1))
	for i, number := range got {
		if want := fmt.Sprintf("%03d", n-len(got)+i); number != want {
			t.Fatalf("message %d is %s, want %s", i, number, want)
		}
	}
	if len(got) < n/10 {
		t.Errorf("%d of %d messages are left", len(got), n)
	}
}

var numberedBody = regexp.MustCompile(`<body>(\d+) `)

// readNumbers reads messages up to one, and returns the numbers that their bodies begin with.
func readNumbers(t *testing.T, c *peer, last string) (numbers []string) {
	t.Helper()
	var rest []byte
	buf := make([]byte, 64<<10)
	for len(numbers) == 0 || numbers[len(numbers)-1] != last {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		k, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %v: %v", numbers, err)
		}
		rest = append(rest, buf[:k]...)
		for _, m := range numberedBody.FindAllSubmatch(rest, -1) {
			numbers = append(numbers, string(m[1]))
		}
		if i := bytes.LastIndex(rest, []byte("<body>")); i >= 0 && len(rest)-i > 20 {
			rest = rest[i+20:]
		}
	}
	return numbers
}
