package c2s

import (
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Answers without calling a mechanism: before TLS (RFC 6120 §6.5.4), and after too many
// failures from the same address (§6.5.10).
const (
	encryptionRequired = "<failure xmlns='" + sasl.NS + "'><encryption-required/></failure>"
	notNow             = "<failure xmlns='" + sasl.NS + "'><temporary-auth-failure/></failure>"
)

// maxName is the length of the longest user name.
const maxName = jid.MaxPart

var errTries = stream.NewError(stream.PolicyViolation, "too many failed logins")

// authenticate handles one element of the SASL negotiation (RFC 6120 §6.4).
func (c *conn) authenticate(it *stream.Item) error {
	if c.tlsRequired() {
		c.server.Counters.LoginsFailed.Add(1)
		c.Append(func(dst []byte) []byte { return append(dst, encryptionRequired...) })
		return nil
	}
	e, err := it.Tree()
	if err != nil {
		return fmt.Errorf("read login: %w", err)
	}
	if e.Local == "auth" {
		c.negotiation.removals = c.host.Router.Removals()
	}
	if ok, err := c.admit(e); err != nil || !ok {
		return err
	}
	growStack()
	out := c.negotiation.dialogue.Receive(c.Context(), e)
	c.Append(func(dst []byte) []byte { return append(dst, out.Reply...) })
	if out.Failure != nil {
		c.refused(out.Failure)
	}
	switch {
	case out.TooMany:
		return errTries // checklist 29
	case out.Identity != nil:
		c.authenticated(*out.Identity)
	}
	return nil
}

// admit delays the first message of an attempt while too many others from the same address
// have failed. An attempt that has waited for the longest delay and would have to wait again is
// refused (false): otherwise many connections at once could guess at any speed.
func (c *conn) admit(e *stanza.Element) (bool, error) {
	n := &c.negotiation
	if e.Local == "auth" {
		n.admitted = false
	}
	if n.admitted || e.Local == "abort" || e.Text() == "" { // no name yet, or one that has been admitted
		return true, nil
	}
	n.trying = claimed(e)
	if d := c.server.addresses.delay(c.from, n.trying); d > 0 {
		c.server.Counters.LoginsHeld.Add(1)
		if !c.Pause(d) {
			return false, stream.NewError(stream.SystemShutdown, "")
		}
		if c.server.addresses.delay(c.from, n.trying) > 0 {
			c.Append(func(dst []byte) []byte { return append(dst, notNow...) })
			return false, nil
		}
	}
	n.admitted = true
	return true, nil
}

func (c *conn) refused(f *sasl.Failure) {
	c.server.Counters.LoginsFailed.Add(1)
	switch {
	case f.Condition == sasl.TemporaryAuthFailure:
		c.Log().Error("login failed because of an internal error", "err", f)
	case errors.Is(f, sasl.ErrDowngrade): // an attacker between the two, or a client with an error
		c.Log().Warn("login refused: the client did not see the offered mechanisms with channel binding", "account", c.negotiation.trying)
	case f.Condition == sasl.Aborted || errors.Is(f, sasl.ErrBindingType): // no password was tried
	default:
		c.server.addresses.failed(c.from, c.negotiation.trying)
		c.Log().Info("login failed", "user", c.negotiation.trying, "err", f)
	}
}

// claimed returns the user name in the first message of PLAIN or SCRAM, "" if there is none.
// It is used only to delay attempts.
func claimed(first *stanza.Element) string {
	data, err := base64.StdEncoding.DecodeString(first.Text())
	if err != nil {
		return ""
	}
	if name := nameIn(string(data)); len(name) <= maxName { // names are remembered
		return name
	}
	return ""
}

func nameIn(text string) string {
	if parts := strings.Split(text, "\x00"); len(parts) == 3 {
		return strings.ToLower(parts[1])
	}
	for part := range strings.SplitSeq(text, ",") {
		if name, ok := strings.CutPrefix(part, "n="); ok {
			return strings.ToLower(name)
		}
	}
	return ""
}

// authenticated restarts the stream for an account (RFC 6120 §6.4.6). What the client
// sent after its last message belongs to the new stream.
func (c *conn) authenticated(id sasl.Identity) {
	c.who = id.JID
	c.negotiation.dialogue, c.negotiation.trying, c.negotiation.admitted = nil, "", false
	c.AddLog("jid", id.JID.String())
	c.Log().Info("logged in", "mechanism", id.Mechanism, "binding", id.Binding)
	c.server.Counters.Logins.Add(1)
	c.Restart()
	c.SetLimits(c.server.limits().Stanza)
}

// growStack makes room on the stack for what follows, at once. A stack grows by being copied, and
// the look-up of an account would cause several such copies, each of more frames.
//
//go:noinline
func growStack() {
	var room [9 << 10]byte // with what there is already: 16 KiB
	runtime.KeepAlive(&room)
}
