package client

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Namespaces of SASL2 and what belongs to it.
const (
	spaceSASL2    = "urn:xmpp:sasl:2"
	spaceBindings = "urn:xmpp:sasl-cb:0"
	spaceScram    = "urn:xmpp:scram-upgrade:0"
)

// Open opens a stream with TLS and does not log in. The first element that Next returns is the server's features.
func Open(ctx context.Context, login Login) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", login.Addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c := newConn(conn, spaceClient)
	c.user = login.User
	if c.offered, err = c.secure(ctx, login); err != nil {
		stop()
		_ = conn.Close()
		return nil, fmt.Errorf("open a stream to %s: %w", login.Domain, err)
	}
	c.jid, c.queue = "", append(c.queue, c.offered)
	if !stop() {
		return nil, ctx.Err()
	}
	go c.read()
	return c, nil
}

// Authenticate logs in with SASL2 (XEP-0388): it sends <authenticate/> with the children given as XML and answers the challenges. secret is
// the password, or a token for HT-*. What ends the exchange, <success/>, <continue/> or <failure/>, is what Next returns.
func (c *Conn) Authenticate(ctx context.Context, mechanism, secret, children string) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	first, answer, err := c.mechanism(mechanism, secret)
	if err != nil {
		return err
	}
	initial := "<initial-response>" + base64.StdEncoding.EncodeToString([]byte(first)) + "</initial-response>"
	if err := c.Send("<authenticate xmlns='" + spaceSASL2 + "' mechanism='" + mechanism + "'>" + initial + children + "</authenticate>"); err != nil {
		return err
	}
	for {
		e, err := c.next2(ctx)
		if err != nil || e.Name.Local == "failure" {
			return err
		}
		text := e.Text
		if e.Name.Local != "challenge" {
			if data := e.Child(spaceSASL2, "additional-data"); data != nil {
				text = data.Text
			}
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("server's data: %w", err)
		}
		response, err := answer(string(data), e.Name.Local != "challenge")
		if err != nil || e.Name.Local != "challenge" {
			return err
		}
		if err := c.Send("<response xmlns='" + spaceSASL2 + "'>" + base64.StdEncoding.EncodeToString([]byte(response)) + "</response>"); err != nil {
			return err
		}
	}
}

// next2 returns the next element of SASL2, past features. All but a challenge also stay for Next.
func (c *Conn) next2(ctx context.Context) (*xmltree.Element, error) {
	for {
		e, err := c.Next(ctx)
		if err != nil {
			return nil, err
		}
		if e.Name.Space != spaceSASL2 {
			continue
		}
		if e.Name.Local == "success" {
			if who := e.Child(spaceSASL2, "authorization-identifier"); who != nil {
				c.jid = who.Text
			}
		}
		if e.Name.Local != "challenge" && e.Name.Local != "task-data" {
			c.mu.Lock()
			c.queue = slices.Insert(c.queue, 0, e)
			c.mu.Unlock()
		}
		return e, nil
	}
}

// mechanism returns the client's first message, and what answers the server's: last says that it is the one of a success.
func (c *Conn) mechanism(name, secret string) (first string, answer func(data string, last bool) (string, error), err error) {
	none := func(string, bool) (string, error) { return "", nil }
	switch {
	case name == "PLAIN":
		return "\x00" + c.user + "\x00" + secret, none, nil
	case name == "ANONYMOUS":
		return "", none, nil
	case strings.HasPrefix(name, "HT-"):
		return c.hashedToken(name, secret)
	case strings.HasPrefix(name, "SCRAM-"):
		s, err := c.newScram(name, secret)
		if err != nil {
			return "", nil, err
		}
		return s.first(), s.answer, nil
	}
	return "", none, nil // unknown on purpose: the server is to refuse it
}

// Upgrade does the task of <continue/>, which stores a key of a further hash (XEP-0480). What comes then is what Next returns.
func (c *Conn) Upgrade(ctx context.Context, task, password string) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	h, ok := scramHashes[strings.TrimPrefix(task, "UPGR-")]
	if !ok {
		return fmt.Errorf("unknown task %s", task)
	}
	if err := c.Send("<next xmlns='" + spaceSASL2 + "' task='" + task + "'/>"); err != nil {
		return err
	}
	e, err := c.next2(ctx)
	if err != nil {
		return err
	}
	salt := e.Child(spaceScram, "salt")
	if salt == nil {
		return fmt.Errorf("salt expected, got %s", e)
	}
	bytes, err := base64.StdEncoding.DecodeString(salt.Text)
	if err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	rounds, err := strconv.Atoi(salt.Attr("iterations"))
	if err != nil {
		return fmt.Errorf("iterations: %w", err)
	}
	salted, err := saltedPassword(h, password, bytes, rounds)
	if err != nil {
		return err
	}
	if err := c.Send("<task-data xmlns='" + spaceSASL2 + "'><hash xmlns='" + spaceScram + "'>" + base64.StdEncoding.EncodeToString(salted) + "</hash></task-data>"); err != nil {
		return err
	}
	_, err = c.next2(ctx)
	return err
}

// binding returns the data of a type of channel binding (RFC 9266, RFC 5929 §4).
func (c *Conn) binding(kind string) ([]byte, error) {
	secure, ok := c.conn.(*tls.Conn)
	if !ok {
		return nil, errors.New("no TLS")
	}
	state := secure.ConnectionState()
	switch kind {
	case "":
		return nil, nil
	case "tls-exporter":
		return state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	case "tls-server-end-point":
		h := scramHashes["SCRAM-SHA-256"]() // of the certificates of the tests
		h.Write(state.PeerCertificates[0].Raw)
		return h.Sum(nil), nil
	}
	return nil, fmt.Errorf("unknown channel binding %s", kind)
}
