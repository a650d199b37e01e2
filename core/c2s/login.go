package c2s

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stream"
)

// encryptionRequired is the answer before TLS (RFC 6120 §6.5.4).
const (
	encryptionRequired  = "<failure xmlns='" + sasl.NS + "'><encryption-required/></failure>"
	encryptionRequired2 = "<failure xmlns='" + sasl.NS2 + "'><encryption-required xmlns='" + sasl.NS + "'/></failure>"
)

var (
	// errExpired ends a stream whose token or certificate is not valid any more (RFC 6120 §4.9.3.16, §13.7.2.3).
	errExpired     = stream.NewError(stream.Reset, "what you logged in with has expired: log in again")
	errTries       = stream.NewError(stream.PolicyViolation, "too many failed logins")
	errDuringLogin = stream.NewError(stream.PolicyViolation, "not while a login is under way")
)

// authenticate handles one element of a login (RFC 6120 §6.4, XEP-0388).
func (c *conn) authenticate(it *stream.Item) error {
	if c.tlsRequired() {
		c.server.Counters.LoginsFailed.Add(1)
		text := encryptionRequired
		if string(it.Space()) == sasl.NS2 {
			text = encryptionRequired2
		}
		c.Append(func(dst []byte) []byte { return append(dst, text...) })
		return nil
	}
	e, err := it.Tree()
	if err != nil {
		return fmt.Errorf("read login: %w", err)
	}
	if e.Local == "auth" || e.Local == "authenticate" {
		c.negotiation.removals = c.host.Router.Removals()
	}
	if e.Local == "authenticate" && !c.negotiation.dialogue.Busy() && c.stale(e) {
		c.Append(func(dst []byte) []byte { return append(dst, staleVersion...) })
		return nil
	}
	growStack()
	out := c.negotiation.dialogue.Receive(c.Context(), e)
	c.Append(func(dst []byte) []byte { return append(dst, out.Reply...) })
	if out.Failure != nil {
		c.refused(out)
	}
	switch {
	case out.Violation:
		return errDuringLogin
	case out.TooMany:
		return errTries // checklist 29
	case out.Request != nil:
		return c.complete(out)
	case out.Identity != nil:
		c.authenticated(*out.Identity)
		c.Restart() // RFC 6120 §6.4.6: what the client has sent after its last message belongs to the new stream
	}
	return nil
}

func (c *conn) refused(out sasl.Outcome) {
	c.server.Counters.LoginsFailed.Add(1)
	switch f := out.Failure; {
	case errors.Is(f, sasl.ErrDowngrade): // an attacker between the two, or a client with an error
		c.Log().Warn("login refused: the client did not see the offered mechanisms with channel binding", "user", out.Username)
	case f.Condition == sasl.Aborted || errors.Is(f, sasl.ErrBindingType): // no password was tried
	case errors.Is(f, sasl.ErrUnavailable):
		c.Log().Error("login not possible", "user", out.Username, "err", f)
	case f.Condition == sasl.TemporaryAuthFailure && !errors.Is(f, sasl.ErrTooManyGuesses) && !errors.Is(f, sasl.ErrLocked) && !errors.Is(f, sasl.ErrTooManySessions):
		c.Log().Error("login failed because of an internal error", "err", f)
	default:
		c.Log().Info("login failed", "user", out.Username, "err", f)
	}
}

// authenticated sets the account of the connection.
func (c *conn) authenticated(id sasl.Identity) {
	c.who = id.JID
	c.negotiation.dialogue, c.negotiation.revocation = nil, id.Revocation
	if id.Mechanism == sasl.External { // RFC 6120 §13.7.2.3
		id.Expires, id.Recheck = c.negotiation.certificate.expires, c.negotiation.certificate.recheck
	}
	c.stopAt(id.Expires)
	c.address.Authenticated()
	c.AddLog("jid", id.JID.String())
	c.Log().Info("logged in", "mechanism", id.Mechanism, "binding", id.Binding, "backend", id.Backend)
	c.server.Counters.Logins.Add(1)
	c.SetLimits(c.server.limits().Stanza)
	if id.Recheck != nil {
		c.server.rechecks.add(c, id.Recheck, time.Now())
	}
}

// stopAt ends the stream at a time, unless that is zero.
func (c *conn) stopAt(at time.Time) {
	if !at.IsZero() {
		c.negotiation.expiry = time.AfterFunc(time.Until(at), func() { c.Stop(errExpired) })
	}
}

// growStack makes room on the stack for what follows, at once. A stack grows by being copied, and
// the look-up of an account would cause several such copies, each of more frames.
//
//go:noinline
func growStack() {
	var room [9 << 10]byte // with what there is already: 16 KiB
	runtime.KeepAlive(&room)
}
