package s2s

import "github.com/dragoman-im/dragoman/core/stream"

// Receive implements stream.Handler.
func (c *inConn) Receive(it *stream.Item) error {
	c.silent = 0
	if !c.reverse.ready {
		c.sendBackAll()
	}
	size := len(it.Raw)
	return c.after(c.Conn, size, c.handle(it))
}

// suits reports whether the connection is good enough for a domain with that rule.
func (c *inConn) suits(theirs string, rule Rule) bool {
	return !rule.Refused && (rule.Plain || c.stream.secure) && (!rule.Certificates || c.proves(theirs))
}

// extends reports whether a peer whose certificate is that of the sender's domain sends to a further domain of ours, and lets it do so from
// now on: the certificate is as good for that one. Prosody sends answers in this way to domains that share a connection.
func (c *inConn) extends(p pair) bool {
	if !c.stream.external || p.theirs != c.stream.pair.theirs || len(c.rights.all) >= maxPairs || !c.server.serves(p.ours) {
		return false
	}
	c.rights.add(p)
	return true
}
