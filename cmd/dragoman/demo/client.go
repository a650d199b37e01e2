package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"
)

// maxKept is how many stanzas the tour's client keeps.
const maxKept = 10_000

// demoClient is the tour's XMPP client, built on mellium.im/xmpp: what works with it works with
// other clients too. One goroutine reads and keeps the stanzas in which await searches.
type client struct {
	session *xmpp.Session
	jid     jid.JID
	confirm chan struct{} // the reader has ended

	mu      sync.Mutex
	kept    []*received
	changed chan struct{}
	closed  error
}

// received is a message or presence.
type received struct {
	XMLName  xml.Name
	From     string  `xml:"from,attr"`
	ID       string  `xml:"id,attr"`
	Type     string  `xml:"type,attr"`
	Body     string  `xml:"body"`
	Subject  *string `xml:"subject"`
	Replaces struct {
		ID string `xml:"id,attr"`
	} `xml:"urn:xmpp:message-correct:0 replace"`
	Retracts struct {
		ID string `xml:"id,attr"`
	} `xml:"urn:xmpp:message-retract:1 retract"`
	StanzaIDs []struct {
		ID string `xml:"id,attr"`
		By string `xml:"by,attr"`
	} `xml:"urn:xmpp:sid:0 stanza-id"`
	Delay *struct{} `xml:"urn:xmpp:delay delay"`
	Codes []struct {
		Code string `xml:"code,attr"`
	} `xml:"http://jabber.org/protocol/muc#user x>status"`
	Error *stanza.Error `xml:"error"`
}

// by is the id that a room gave a message (XEP-0359).
func (r *received) by(room string) string {
	for _, s := range r.StanzaIDs {
		if s.By == room {
			return s.ID
		}
	}
	return ""
}

func (r *received) is(kind string) bool { return r.XMLName.Local == kind }

// self reports whether a presence is one's own in a room (XEP-0045 §7.2.2).
func (r *received) self() bool {
	for _, c := range r.Codes {
		if c.Code == "110" {
			return true
		}
	}
	return false
}

// dialClient logs in with STARTTLS and SCRAM. The certificate has to be of the demo's authority.
func dialClient(ctx context.Context, s *localServer) (*client, error) {
	address, err := jid.New(s.options.user, servedHost, "tour")
	if err != nil {
		return nil, err
	}
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(ca)
	host, port := reachable(s.config.Listen.C2S[0])
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	session, err := xmpp.NewClientSession(ctx, address, conn,
		xmpp.StartTLS(&tls.Config{ServerName: servedHost, RootCAs: trusted, MinVersion: tls.VersionTLS12}),
		xmpp.SASL("", s.password, sasl.ScramSha256, sasl.ScramSha1), xmpp.BindResource())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &client{session: session, jid: session.LocalAddr(), confirm: make(chan struct{}), changed: make(chan struct{})}
	go c.read()
	return c, nil
}

// read keeps what arrives until the stream ends.
func (c *client) read() {
	defer close(c.confirm)
	err := c.session.Serve(xmpp.HandlerFunc(c.handle))
	if err == nil {
		err = io.EOF
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = err
	close(c.changed)
	c.changed = make(chan struct{})
}

// handle keeps one message or presence; roster pushes are answered.
func (c *client) handle(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	if start.Name.Local == "iq" {
		return c.push(t, start)
	}
	r := &received{}
	d := xml.NewTokenDecoder(xmlstream.MultiReader(xmlstream.Token(*start), t))
	if err := d.Decode(r); err != nil {
		return fmt.Errorf("read a stanza: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) < maxKept {
		c.kept = append(c.kept, r)
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// push accepts roster pushes (RFC 6121 §2.1.6); the library refuses all else.
func (c *client) push(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
	iq, err := stanza.NewIQ(*start)
	if err != nil || iq.Type != stanza.SetIQ {
		return err
	}
	token, err := t.Token()
	if payload, ok := token.(xml.StartElement); !ok || payload.Name.Space != nsRoster {
		return err
	}
	_, err = xmlstream.Copy(t, iq.Result(nil))
	return err
}

// count is how many stanzas have arrived; await searches those after it.
func (c *client) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept)
}

// await waits for a stanza that fits, after the first ones, and returns its number too.
func (c *client) await(ctx context.Context, after int, fits func(*received) bool) (*received, int, error) {
	for {
		c.mu.Lock()
		after = min(after, len(c.kept))
		arrived, changed, closed := c.kept[after:], c.changed, c.closed
		c.mu.Unlock()
		for i, r := range arrived {
			if fits(r) {
				return r, after + i + 1, nil
			}
		}
		after += len(arrived)
		if closed != nil {
			return nil, after, fmt.Errorf("the stream has ended: %w", closed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, after, errTimeout
		}
	}
}

// errTimeout tells that no stanza fitted in time.
var errTimeout = errors.New("nothing arrived in time")

// send sends a message or a presence.
func (c *client) send(ctx context.Context, v any) error { return c.session.Encode(ctx, v) }

// ask sends an IQ and reads the answer's payload into v, which may be nil.
func (c *client) ask(ctx context.Context, typ stanza.IQType, to string, payload xml.TokenReader, v any) error {
	iq := stanza.IQ{Type: typ}
	if to != "" {
		var err error
		if iq.To, err = jid.Parse(to); err != nil {
			return err
		}
	}
	if v == nil {
		v = &struct {
			XMLName xml.Name
		}{}
	}
	return c.session.UnmarshalIQElement(ctx, payload, iq, v)
}

// closeTimeout is the longest wait for the server's end of the stream.
const closeTimeout = 3 * time.Second

// close ends the stream and waits for the reader.
func (c *client) close() {
	_ = c.session.Close() // the connection may be gone already
	select {
	case <-c.confirm:
	case <-time.After(closeTimeout):
	}
	_ = c.session.Conn().Close()
	<-c.confirm
}
