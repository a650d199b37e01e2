package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
)

// keyring has one SCRAM client for each account. It caches the keys derived from passwords, as RFC 5802
// section 5.1 allows: PBKDF2 for each login would cost ten times the CPU of the server, so that the
// load generator would measure itself.
type keyring struct {
	clients sync.Map
	tokens  sync.Map // by user name
}

var hashes = map[string]scram.HashGeneratorFcn{"SCRAM-SHA-1": scram.SHA1, "SCRAM-SHA-256": scram.SHA256}

// conversation begins the SCRAM exchange of a login.
func (k *keyring) conversation(mechanism, user, password string) (*scram.ClientConversation, error) {
	key := mechanism + " " + user
	if c, ok := k.clients.Load(key); ok {
		return c.(*scram.Client).NewConversation(), nil
	}
	hash, ok := hashes[mechanism]
	if !ok {
		return nil, fmt.Errorf("unknown mechanism %q", mechanism)
	}
	c, err := hash.NewClient(user, password, "")
	if err != nil {
		return nil, err
	}
	kept, _ := k.clients.LoadOrStore(key, c)
	return kept.(*scram.Client).NewConversation(), nil
}

// signIn authenticates.
func (c *client) signIn(t target, o *options, account int) error {
	user := fmt.Sprintf("%s%d", o.user, account)
	if o.mechanism == tokenMechanism {
		return c.loginByToken(o, user, account)
	}
	var err error
	if o.mechanism == "PLAIN" {
		_, _, err = c.authenticate("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + encode("\x00"+user+"\x00"+o.password) + "</auth>")
	} else {
		err = c.scram(o, user)
	}
	if err != nil {
		return err
	}
	return c.open(t.domain)
}

// login authenticates and binds.
func (c *client) login(t target, o *options, account int) error {
	if err := c.signIn(t, o, account); err != nil {
		return err
	}
	if c.jid != "" { // bound together with the login
		return nil
	}
	answer, err := c.ask("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</iq>")
	if err != nil {
		return err
	}
	_, rest, ok := strings.Cut(answer, "<jid>")
	if !ok {
		return errors.New(answer)
	}
	c.jid, _, _ = strings.Cut(rest, "</jid>")
	return nil
}

func (c *client) scram(o *options, user string) error {
	login, err := o.keys.conversation(o.mechanism, user, o.password)
	if err != nil {
		return err
	}
	send, end := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='"+o.mechanism+"'>", "</auth>"
	challenge, succeeded := "", false
	for {
		reply, err := login.Step(challenge)
		if err != nil {
			return err
		}
		if login.Done() && succeeded { // and the server has proved that it has the keys of the account
			return nil
		}
		if challenge, succeeded, err = c.authenticate(send + encode(reply) + end); err != nil {
			return err
		}
		if login.Done() { // the server has proved it in a challenge
			return nil
		}
		send, end = "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>", "</response>"
	}
}

// authenticate sends one step of SASL and returns the server's challenge, and whether the login has succeeded.
func (c *client) authenticate(step string) (challenge string, succeeded bool, err error) {
	answer, err := c.ask(step, "</challenge>", "</success>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "</failure>")
	if err != nil {
		return "", false, err
	}
	if strings.Contains(answer, "<failure") {
		return "", false, errors.New(answer)
	}
	_, rest, _ := strings.Cut(answer, ">")
	text, _, _ := strings.Cut(rest, "<")
	decoded, err := base64.StdEncoding.DecodeString(text)
	return string(decoded), strings.Contains(answer, "<success"), err
}

func encode(s string) string {
	if s == "" {
		return "="
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}
