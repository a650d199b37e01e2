package bridge

// Remembered counts the users whose presence is known, and the servers that granted something.
func (g *Gateway) Remembered() (users, servers int) {
	return g.xmpp.presence.Users(), g.xmpp.roster.Privileges.Servers()
}
