package bridge

// Remembered counts the users whose presence is known, and the servers that granted something.
func (g *Gateway) Remembered() (people, servers int) {
	g.presences.mu.Lock()
	defer g.presences.mu.Unlock()
	g.granted.mu.Lock()
	defer g.granted.mu.Unlock()
	return len(g.presences.sessions), len(g.granted.by)
}
