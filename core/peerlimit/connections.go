package peerlimit

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// maxNetworks is the number of networks whose connections are counted; more are refused until some have none.
const maxNetworks = 100_000

// ConnectionLimits are the limits of Connections; zero and less mean no limit.
type ConnectionLimits struct {
	Open      int // connections of one network
	PerSecond int // new connections of one network
	Pending   int // connections of all networks that have not authenticated
}

// Verdict is the decision about a new connection, or the reason why one was displaced.
type Verdict uint8

// The verdicts.
const (
	Accepted Verdict = iota
	TooMany          // the network has as many authenticated connections as it may have
	TooFast          // the network opens too many in a second
	Full             // all networks together have too many that have not authenticated
)

// Connections counts connections by network. Where a limit is reached by connections that have not authenticated, the oldest of
// them is ended in favour of the new one, which may belong to somebody else behind that address: that one authenticates in less time than an
// attacker, who may open only so many a second, needs to displace it. Where all networks together reach a limit, the network with
// the most connections that have not authenticated loses its oldest one.
type Connections struct {
	start time.Time

	mu       sync.Mutex
	limits   ConnectionLimits
	networks map[netip.Prefix]*network
	pending  int
	swept    time.Duration
}

// network counts the connections of one network.
type network struct {
	open     int
	pending  list.List // of *Connection, the oldest first
	arrivals bucket
	working  int  // what Work has begun
	narrow   bool // an IPv4 address or an IPv6 /64, not a /48
}

// Connection is a connection that was accepted. The methods of a nil Connection do nothing.
type Connection struct {
	owner   *Connections
	of      [levels]netip.Prefix  // its networks
	pending [levels]*list.Element // its entry in each network's list of pending ones; nil: authenticated

	end       func(Verdict) // nil: not set yet
	closed    bool
	displaced Verdict // the reason; Accepted: it was not displaced
}

// NewConnections returns a Connections.
func NewConnections(l ConnectionLimits) *Connections {
	return &Connections{start: time.Now(), limits: l, networks: map[netip.Prefix]*network{}}
}

// SetLimits replaces the limits.
func (c *Connections) SetLimits(l ConnectionLimits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = l
}

// Open decides about a new connection and counts it if it is accepted.
func (c *Connections) Open(from netip.Addr) (*Connection, Verdict) {
	conn := &Connection{owner: c, of: networks(from)}
	victims, verdict := c.open(conn)
	for _, end := range victims {
		end()
	}
	if verdict != Accepted {
		return nil, verdict
	}
	return conn, Accepted
}

// open returns the functions that end other connections in favour of conn.
func (c *Connections) open(conn *Connection) (victims []func(), verdict Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Since(c.start)
	if !c.sweep(now) {
		return nil, TooFast
	}
	of := c.find(conn)
	for level, n := range of {
		if per := (limit{scaled(c.limits.PerSecond, level), time.Second}); !per.off() && n.arrivals.add(now, per) > 0 {
			n.arrivals.undo() // a refused connection does not count, so that the limit is a rate and not a ban
			return nil, TooFast
		}
	}
	for level, n := range of {
		if c.full(n, level) && n.pending.Len() == 0 {
			return nil, TooMany
		}
	}
	for level, n := range of {
		if c.full(n, level) && n.pending.Len() > 0 {
			victims = c.displace(n, TooMany, victims)
		}
	}
	if c.limits.Pending > 0 && c.pending >= c.limits.Pending {
		victims = c.displace(c.largest(), Full, victims)
	}
	c.pending++
	for level, n := range of {
		n.open++
		conn.pending[level] = n.pending.PushBack(conn)
	}
	return victims, Accepted
}

// find returns the networks of a connection.
func (c *Connections) find(conn *Connection) []*network {
	of := make([]*network, 0, levels)
	for level, p := range conn.of {
		if level > 0 && !p.IsValid() {
			break
		}
		n := c.networks[p]
		if n == nil {
			n = &network{narrow: level == 0}
			c.networks[p] = n
		}
		of = append(of, n)
	}
	return of
}

func (c *Connections) full(n *network, level int) bool {
	open := scaled(c.limits.Open, level)
	return open > 0 && n.open >= open
}

// displace removes the oldest connection of a network that has not authenticated, and adds the function that ends it to a list.
func (c *Connections) displace(n *network, why Verdict, victims []func()) []func() {
	oldest := n.pending.Front()
	if oldest == nil {
		return victims
	}
	conn := oldest.Value.(*Connection)
	c.remove(conn)
	conn.displaced = why
	if conn.end == nil { // OnDisplaced calls it
		return victims
	}
	return append(victims, func() { conn.end(why) })
}

// largest returns the network with the most connections that have not authenticated.
func (c *Connections) largest() *network {
	most := &network{}
	for _, n := range c.networks {
		if n.narrow && n.pending.Len() > most.pending.Len() {
			most = n
		}
	}
	return most
}

// remove forgets a connection that is ended or has ended.
func (c *Connections) remove(conn *Connection) {
	if conn.closed {
		return
	}
	conn.closed = true
	c.removePending(conn)
	for level, p := range conn.of {
		if n := c.networks[p]; n != nil && (p.IsValid() || level == 0) {
			n.open--
		}
	}
}

// removePending removes a connection from those that have not authenticated.
func (c *Connections) removePending(conn *Connection) {
	if conn.pending[0] != nil {
		c.pending--
	}
	for level, e := range conn.pending {
		if e != nil {
			c.networks[conn.of[level]].pending.Remove(e)
			conn.pending[level] = nil
		}
	}
}

// sweep forgets networks without connections once a second. It returns false if there are too many left.
func (c *Connections) sweep(now time.Duration) bool {
	if now-c.swept >= time.Second {
		c.swept = now
		for p, n := range c.networks {
			if n.open == 0 && n.working == 0 && now-n.arrivals.at > time.Second {
				delete(c.networks, p)
			}
		}
	}
	return len(c.networks) < maxNetworks
}

// OnDisplaced sets the function that ends the connection in favour of another one, because of TooMany or Full. It is called once at
// most, by any goroutine, and must not block.
func (conn *Connection) OnDisplaced(end func(why Verdict)) {
	conn.owner.mu.Lock()
	conn.end = end
	why := conn.displaced
	conn.owner.mu.Unlock()
	if why != Accepted {
		end(why)
	}
}

// Authenticated records that the peer has authenticated: the connection is no longer ended in favour of others.
func (conn *Connection) Authenticated() {
	if conn == nil {
		return
	}
	conn.owner.mu.Lock()
	defer conn.owner.mu.Unlock()
	conn.owner.removePending(conn)
}

// Closed records that the connection has ended.
func (conn *Connection) Closed() {
	if conn == nil {
		return
	}
	conn.owner.mu.Lock()
	defer conn.owner.mu.Unlock()
	conn.owner.remove(conn)
}
