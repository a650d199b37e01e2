package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// tokenMechanism logs in with a token (XEP-0484) and binds in the same step (XEP-0388, XEP-0386).
const tokenMechanism = "HT-SHA-256-NONE"

// loginByToken logs in with the account's token, or with its password and a request for one the first time.
func (c *client) loginByToken(o *options, user string, account int) error {
	mechanism, data, more := "PLAIN", "\x00"+user+"\x00"+o.password, "<request-token xmlns='urn:xmpp:fast:0' mechanism='"+tokenMechanism+"'/>"
	token, known := o.keys.tokens.Load(user)
	if known {
		m := hmac.New(sha256.New, []byte(token.(string)))
		m.Write([]byte("Initiator"))
		mechanism, data, more = tokenMechanism, user+"\x00"+string(m.Sum(nil)), "<fast xmlns='urn:xmpp:fast:0'/>"
	}
	answer, err := c.ask("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='"+mechanism+"'><initial-response>"+
		base64.StdEncoding.EncodeToString([]byte(data))+"</initial-response><user-agent id='"+fmt.Sprintf("00000000-0000-4000-8000-%012d", account)+"'/>"+
		more+"<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag></bind></authenticate>", "</stream:features>", "</failure>", "</stream:stream>")
	if err != nil {
		return err
	}
	_, rest, ok := strings.Cut(answer, "<authorization-identifier>")
	if !ok {
		return errors.New(answer)
	}
	c.jid, rest, _ = strings.Cut(rest, "<")
	if !known {
		_, text, ok := strings.Cut(rest, " token='")
		if !ok {
			return fmt.Errorf("no token in %s", answer)
		}
		text, _, _ = strings.Cut(text, "'")
		o.keys.tokens.Store(user, text)
	}
	return nil
}
