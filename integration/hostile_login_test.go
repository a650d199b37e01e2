package integration_test

import (
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
)

// reach brings a connection to a state.
func (s *hostileRun) reach(conn net.Conn, at streamState, user string) (net.Conn, error) {
	switch at {
	case connected, componentNew:
		return conn, nil
	case componentOn:
		return conn, authenticateComponent(conn)
	}
	if err := openStream(conn); err != nil || at == sawFeatures {
		return conn, err
	}
	if err := sendAndAwait(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
		return conn, err
	}
	conn = tls.Client(conn, s.tls)
	if err := openStream(conn); err != nil || at == sawFeaturesInTLS {
		return conn, err
	}
	login := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00m"))
	if err := sendAndAwait(conn, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+login+"</auth>", "<success "); err != nil {
		return conn, err
	}
	if err := openStream(conn); err != nil || at == loggedIn {
		return conn, err
	}
	return conn, sendAndAwait(conn, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</iq>")
}

func openStream(conn net.Conn) error {
	return sendAndAwait(conn, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='"+testHost+"' version='1.0'>", "</stream:features>")
}

// authenticateComponent attaches as a component.
func authenticateComponent(conn net.Conn) error {
	got, err := answer(conn, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='evil.test.example'>", "'>")
	if err != nil {
		return err
	}
	_, id, _ := strings.Cut(got, " id='")
	id, _, _ = strings.Cut(id, "'")
	sum := sha1.Sum([]byte(id + "evil"))
	_, err = answer(conn, "<handshake>"+hex.EncodeToString(sum[:])+"</handshake>", "<handshake/>")
	return err
}

func sendAndAwait(conn net.Conn, text, mark string) error {
	_, err := answer(conn, text, mark)
	return err
}

// answer sends a text and reads until mark.
func answer(conn net.Conn, text, mark string) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	var got []byte
	buf := make([]byte, 2048)
	for !strings.Contains(string(got), mark) {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w after %q", mark, err, got)
		}
	}
	return string(got), nil
}
