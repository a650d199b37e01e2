package main

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

// maxSeen is how many stanzas the tour's client remembers.
const maxSeen = 10_000

// demoClient is the tour's XMPP client, on somebody else's library: what works with it works with
// other clients too. One goroutine reads; await looks at what it has put down.
type demoClient struct {
	session *xmpp.Session
	jid     jid.JID
	done    chan struct{} // the reader has ended

	mu      sync.Mutex
	seen    []*received
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

// self tells whether a presence is one's own in a room (XEP-0045 §7.2.2).
func (r *received) self() bool {
	for _, c := range r.Codes {
		if c.Code == "110" {
			return true
		}
	}
	return false
}

// dialDemo logs in with STARTTLS and SCRAM. The certificate is compared with the one on disk.
func dialDemo(ctx context.Context, h *demoHouse) (*demoClient, error) {
	address, err := jid.New(h.options.user, demoHost, "tour")
	if err != nil {
		return nil, err
	}
	own, err := h.certificate()
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(own)
	host, port := reachable(h.config.Listen.C2S[0])
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	session, err := xmpp.NewClientSession(ctx, address, conn,
		xmpp.StartTLS(&tls.Config{ServerName: demoHost, RootCAs: trusted, MinVersion: tls.VersionTLS12}),
		xmpp.SASL("", h.password, sasl.ScramSha256, sasl.ScramSha1), xmpp.BindResource())
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &demoClient{session: session, jid: session.LocalAddr(), done: make(chan struct{}), changed: make(chan struct{})}
	go c.read()
	return c, nil
}

// read puts down what comes until the stream ends.
func (c *demoClient) read() {
	defer close(c.done)
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

// handle takes one stanza that is no answer to a question of ours.
func (c *demoClient) handle(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
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
	if len(c.seen) < maxSeen {
		c.seen = append(c.seen, r)
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// push accepts roster pushes (RFC 6121 §2.1.6); the library refuses all else.
func (c *demoClient) push(t xmlstream.TokenReadEncoder, start *xml.StartElement) error {
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

// count is how much has come; await looks at what comes after it.
func (c *demoClient) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// await waits for a stanza that fits, beyond the first ones, and tells how many came until then.
func (c *demoClient) await(ctx context.Context, after int, fits func(*received) bool) (*received, int, error) {
	for {
		c.mu.Lock()
		after = min(after, len(c.seen))
		news, changed, closed := c.seen[after:], c.changed, c.closed
		c.mu.Unlock()
		for i, r := range news {
			if fits(r) {
				return r, after + i + 1, nil
			}
		}
		after += len(news)
		if closed != nil {
			return nil, after, fmt.Errorf("the stream has ended: %w", closed)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, after, errNothing
		}
	}
}

// errNothing tells that what was awaited did not come.
var errNothing = errors.New("nothing came")

// send sends a message or a presence.
func (c *demoClient) send(ctx context.Context, v any) error { return c.session.Encode(ctx, v) }

// ask sends an IQ and reads the answer's payload into v, which may be nil.
func (c *demoClient) ask(ctx context.Context, typ stanza.IQType, to string, payload xml.TokenReader, v any) error {
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

// farewell is the longest wait for the server's end of the stream.
const farewell = 3 * time.Second

// close ends the stream and waits for the reader.
func (c *demoClient) close() {
	_ = c.session.Close() // the connection may be gone already
	select {
	case <-c.done:
	case <-time.After(farewell):
	}
	_ = c.session.Conn().Close()
	<-c.done
}
