package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func remoteDomain(i int) string { return fmt.Sprintf("d%d.remote.example", i) }

// serverHeader opens a stream between servers.
func serverHeader(attributes string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' " + attributes + ">"
}

// connect opens a connection to the target for each domain, and proves by dialback that it is its server.
func (r *remoteRun) connect(ctx context.Context) ([]*client, error) {
	var links []*client
	if r.out {
		return nil, nil
	}
	for i := range r.domains {
		c, err := r.connectAs(ctx, remoteDomain(i))
		if err != nil {
			return links, fmt.Errorf("connect as %s: %w", remoteDomain(i), err)
		}
		links = append(links, c)
	}
	return links, nil
}

func (r *remoteRun) connectAs(ctx context.Context, domain string) (*client, error) {
	conn, err := (&net.Dialer{Timeout: stepTimeout}).DialContext(ctx, "tcp", r.server)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	head := serverHeader("from='" + domain + "' to='" + r.target.domain + "'")
	if _, err := c.ask(head, "</stream:features>"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if _, err := c.ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c.conn, c.buf = tls.Client(conn, &tls.Config{ServerName: r.target.domain, InsecureSkipVerify: true}), nil // a test server with a certificate of its own
	_, err = c.ask(head, "</stream:features>", "<stream:features/>")
	answer := ""
	if err == nil {
		answer, err = c.ask("<db:result from='"+domain+"' to='"+r.target.domain+"'>"+rand.Text()+"</db:result>", "/>", "</db:result>")
	}
	if err == nil && attribute(answer, "type") != "valid" {
		err = fmt.Errorf("dialback: %s", answer)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// listening is the server of the other domains.
type listening struct {
	listener net.Listener
	config   *tls.Config
	run      *remoteRun
	deadline atomic.Int64 // of the measurement; 0: it has not begun
	all      sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	ended bool
}

func (r *remoteRun) listenForTarget() (*listening, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*.remote.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	l := &listening{run: r, config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	if l.listener, err = net.Listen("tcp", r.listen); err != nil {
		return nil, err
	}
	l.all.Go(l.accept)
	return l, nil
}

func (l *listening) close() {
	_ = l.listener.Close()
	l.mu.Lock()
	l.ended = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
}

func (l *listening) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns = append(l.conns, conn)
		if l.ended {
			_ = conn.Close()
		}
		l.mu.Unlock()
		l.all.Go(func() {
			if err := l.serve(&client{conn: conn}); err != nil && !errors.Is(err, net.ErrClosed) && l.run.out {
				l.run.fail(err)
			}
		})
	}
}

// serve answers a connection of the target: it says of every dialback key that it is valid, and then receives messages.
func (l *listening) serve(c *client) error {
	if err := l.answer(c, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"); err != nil {
		return err
	}
	if _, err := c.until("<starttls"); err != nil {
		return err
	}
	if err := c.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return err
	}
	c.conn, c.buf = tls.Server(c.conn, l.config), nil
	if err := l.answer(c, "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"); err != nil {
		return err
	}
	for {
		text, err := c.until("</db:verify>", "</db:result>", "</message>")
		if err != nil {
			return err
		}
		from, to, id := attribute(text, "from"), attribute(text, "to"), attribute(text, "id")
		switch {
		case strings.HasSuffix(text, "</db:verify>"):
			err = c.write("<db:verify from='" + to + "' to='" + from + "' id='" + id + "' type='valid'/>")
		case strings.HasSuffix(text, "</db:result>"):
			if err = c.write("<db:result from='" + to + "' to='" + from + "' type='valid'/>"); err == nil && l.run.out {
				return l.run.receive(c, time.Unix(0, l.deadline.Load()))
			}
		default:
			l.run.fail(fmt.Errorf("got %.500s", text))
		}
		if err != nil {
			return err
		}
	}
}

// answer answers the header of a stream.
func (l *listening) answer(c *client, features string) error {
	if _, err := c.until("<stream:stream"); err != nil {
		return err
	}
	text, err := c.until(">")
	if err != nil {
		return err
	}
	return c.write(serverHeader("from='"+attribute(text, "to")+"' to='"+attribute(text, "from")+"' id='"+rand.Text()+"'") + "<stream:features>" + features + "</stream:features>")
}
