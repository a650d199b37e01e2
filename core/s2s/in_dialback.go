package s2s

import (
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/stream"
)

// result handles a key by which the peer asks to be allowed to send for a pair (XEP-0220 §2.2.1). Errors do not end the stream, which
// may be in use for other pairs (checklist 110).
func (c *inConn) result(it *stream.Item) error {
	d, err := dialback.Read(it)
	if err != nil {
		return err
	}
	if d.Type != "" { // no result was asked for in this direction (CVE-2012-3525)
		c.Log().Warn("result of dialback that was not asked for", "from", d.From)
		return c.countRefused()
	}
	p := pair{ours: d.To, theirs: d.From}
	if c.rights.has(p) {
		c.answerResult(p, dialback.TypeValid, "")
		return nil
	}
	if condition := c.refusal(p); condition != "" {
		c.answerResult(p, dialback.TypeError, condition)
		return c.countRefused()
	}
	if c.proves(p.theirs) { // for this very domain, not for the one of the header (CVE-2021-32919)
		c.accept(p)
		c.answerResult(p, dialback.TypeValid, "")
		return nil
	}
	if c.server.rule(p.theirs).Certificates {
		c.answerResult(p, dialback.TypeError, dialback.NotAuthorized)
		return c.countRefused()
	}
	done, ok := c.address.Work(maxOneNetwork)
	if !ok {
		c.server.Counters.LimitCounters.Crowded.Add(1)
		c.answerResult(p, dialback.TypeError, dialback.NoResources)
		return c.countRefused()
	}
	if c.stream.verifying == nil {
		c.stream.verifying = map[pair]struct{}{}
	}
	c.stream.verifying[p] = struct{}{}
	c.server.verify(verification{verifyID{p, c.stream.id}, d.Key}, func(o outcome) {
		done()
		c.results.add(result{p, o})
		c.Wake()
	})
	return nil
}

// refusal returns the condition of the dialback error for a pair that is refused whatever the key is.
func (c *inConn) refusal(p pair) string {
	rule := c.server.rule(p.theirs)
	_, twice := c.stream.verifying[p]
	switch {
	case !c.server.serves(p.ours):
		return dialback.NotFound
	case c.server.serves(p.theirs):
		return dialback.NotAcceptable
	case rule.Refused, !rule.Plain && !c.stream.secure:
		return dialback.Policy
	case c.managed.resumable != nil: // a stream that can be resumed is for one pair
		return dialback.NoResources
	case twice, len(c.stream.verifying) >= maxVerifying, len(c.rights.all) >= maxPairs:
		return dialback.NoResources
	}
	return ""
}

func (c *inConn) answerResult(p pair, typ, condition string) {
	d := dialback.Element{Name: "result", From: p.ours, To: p.theirs, Type: typ, Condition: condition}
	c.Append(d.Append)
}

// verified handles the outcome of a verification.
func (c *inConn) verified(r result) {
	delete(c.stream.verifying, r.pair)
	switch {
	case r.outcome.valid:
		c.accept(r.pair)
		c.answerResult(r.pair, dialback.TypeValid, "")
		return
	case r.outcome.condition != "":
		c.answerResult(r.pair, dialback.TypeError, r.outcome.condition)
	default:
		c.server.Counters.Forged.Add(1)
		c.Log().Warn("dialback key is invalid", "from", r.pair.theirs, "to", r.pair.ours)
		if len(c.rights.all) == 0 { // XEP-0220 §2.2.1
			c.answerResult(r.pair, dialback.TypeInvalid, "")
			c.Stop(errInvalidKey)
			return
		}
		c.answerResult(r.pair, dialback.TypeError, dialback.Forbidden)
	}
	if err := c.countRefused(); err != nil {
		c.Stop(err)
	}
}

// accept lets the peer send for a pair.
func (c *inConn) accept(p pair) {
	c.rights.add(p)
	c.server.incoming.add(c, p)
	c.address.Authenticated() // from now on it is not ended in favour of another connection
	defer c.sendBack(p)
	if c.Established() {
		return
	}
	c.SetLimits(c.server.stanzaLimits(p.theirs))
	c.limit(p.theirs)
	c.Establish()
	c.server.Counters.In.Add(1)
	c.Log().Info("connection of another server", "domain", p.theirs, "tls", c.stream.secure, "external", c.stream.external)
}

// verify answers whether a key that another server got is ours (XEP-0220 §2.2.2).
func (c *inConn) verify(it *stream.Item) error {
	d, err := dialback.Read(it)
	if err != nil {
		return err
	}
	if d.Type != "" { // no verification was asked for in this direction (CVE-2012-3525)
		c.Log().Warn("verification that was not asked for", "from", d.From)
		return c.countRefused()
	}
	answer := dialback.Element{Name: "verify", From: d.To, To: d.From, ID: d.ID, Type: dialback.TypeInvalid}
	switch {
	case !c.server.serves(d.To):
		answer.Type, answer.Condition = dialback.TypeError, dialback.NotFound
	case !c.stream.secure && !c.server.rule(d.From).Plain:
		answer.Type, answer.Condition = dialback.TypeError, dialback.Policy
	case c.server.keys.Valid(d.To, d.From, d.ID, d.Key):
		answer.Type = dialback.TypeValid
	}
	c.Append(answer.Append)
	if answer.Type != dialback.TypeValid {
		return c.countRefused()
	}
	return nil
}
