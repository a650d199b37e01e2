package peerlimit

import "sync"

// Work counts a task that the peer has caused and that takes a while. It returns false if limit tasks of the connection's network have not
// ended; those of its other connections count, also of closed ones. The caller calls done when the task has ended.
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
