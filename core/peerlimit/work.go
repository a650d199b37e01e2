package peerlimit

import "sync"

// Work begins something that takes a while and that the other end has asked for. It returns false if the network of the connection has
// begun limit things that have not ended, also on other connections and on such that are closed. done ends it, once.
func (conn *Connection) Work(limit int) (done func(), ok bool) {
	c := conn.owner
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.find(conn)
	for level, n := range of {
		if n.working >= scaled(limit, level) {
			return nil, false
		}
	}
	for _, n := range of {
		n.working++
	}
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, n := range of {
			n.working--
		}
	}), true
}
