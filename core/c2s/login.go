package c2s

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// encryptionRequired refuses a login before TLS (RFC 6120 §6.5.4).
const encryptionRequired = "<failure xmlns='" + sasl.NS + "'><encryption-required/></failure>"

var errTries = stream.NewError(stream.PolicyViolation, "too many failed logins")

// authenticate takes one element of RFC 6120 §6.4.
func (c *conn) authenticate(it *stream.Item) error {
	if c.tlsRequired() {
		c.server.Counters.LoginsFailed.Add(1)
		c.write(func(dst []byte) []byte { return append(dst, encryptionRequired...) })
		return nil
	}
	e, err := it.Tree()
	if err != nil {
		return fmt.Errorf("read login: %w", err)
	}
	if e.Local == "auth" {
		c.trying = claimed(e)
	}
	if d := c.server.gate.delay(c.from, c.trying); d > 0 {
		c.server.Counters.LoginsHeld.Add(1)
		if !pause(c.ctx, d, c.stopped) {
			return stream.NewError(stream.SystemShutdown, "")
		}
	}
	out := c.login.Receive(c.ctx, e)
	c.write(func(dst []byte) []byte { return append(dst, out.Reply...) })
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

func (c *conn) refused(f *sasl.Failure) {
	c.server.Counters.LoginsFailed.Add(1)
	switch {
	case f.Condition == sasl.TemporaryAuthFailure:
		c.log.Error("login not decided", "err", f)
	case f.Condition == sasl.Aborted || errors.Is(f, sasl.ErrBindingType): // no password was tried
	default:
		c.server.gate.failed(c.from, c.trying)
		c.log.Info("login failed", "err", f)
	}
}

// claimed is the user name in the first message of PLAIN or SCRAM, "" where there is none.
// Nothing depends on it but how long a guesser waits.
func claimed(auth *stanza.Element) string {
	data, err := base64.StdEncoding.DecodeString(auth.Text())
	if err != nil {
		return ""
	}
	text := string(data)
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

// authenticated begins the stream anew as somebody (RFC 6120 §6.4.6). What the client
// sent behind its last message belongs to the new stream.
func (c *conn) authenticated(id sasl.Identity) {
	c.who, c.login, c.trying, c.open = id.JID, nil, "", false
	c.log = c.log.With("jid", id.JID.String())
	c.log.Debug("logged in", "mechanism", id.Mechanism, "binding", id.Binding)
	c.server.Counters.Logins.Add(1)
	c.scanner.Restart()
	c.scanner.SetLimits(c.server.limits.Stanza)
}
