package stream

import (
	"io"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// stanza300 has about 300 bytes, a usual size of a chat message.
const stanza300 = `<message to='bob@example.org/phone' id='9d1b6e8a-5f3c-4d1e-8a77-0c7d2f9b1a10' type='chat' xml:lang='en'><body>Here is a message of a common length, about as long.</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='9d1b'/></message>`

// endless gives a header and then the same stanza forever.
type endless struct {
	head, body string
	off        int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	if e.head != "" {
		n = copy(p, e.head)
		e.head = e.head[n:]
	}
	for n < len(p) {
		k := copy(p[n:], e.body[e.off:])
		n += k
		if e.off += k; e.off == len(e.body) {
			e.off = 0
		}
	}
	return n, nil
}

// chunked is a reader that returns one stanza for each Read.
type chunked struct{ head, body string }

func (c *chunked) Read(p []byte) (int, error) {
	if c.head != "" {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return copy(p, c.body), nil
}

func opened(tb testing.TB, r io.Reader) *Scanner {
	tb.Helper()
	s := NewScanner(r, stanza.NSClient, ForClients())
	if it, err := s.Next(); err != nil || it.Kind != Open {
		tb.Fatal(it, err)
	}
	return s
}

func BenchmarkScan(b *testing.B) {
	s := opened(b, &endless{head: head, body: stanza300})
	b.SetBytes(int64(len(stanza300)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanAndStamp(b *testing.B) {
	s := opened(b, &endless{head: head, body: stanza300})
	out := make([]byte, 0, 1024)
	b.SetBytes(int64(len(stanza300)))
	b.ReportAllocs()
	for b.Loop() {
		it, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		out = it.AppendXML(out[:0], "alice@example.org/desk")
	}
}

func BenchmarkScanOneByOne(b *testing.B) {
	s := opened(b, &chunked{head, stanza300})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanToStanza(b *testing.B) {
	s := opened(b, &endless{head: head, body: stanza300})
	b.ReportAllocs()
	for b.Loop() {
		it, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := it.Stanza(); err != nil {
			b.Fatal(err)
		}
	}
}
