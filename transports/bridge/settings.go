package bridge

import (
	"path"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Settings are the choices and limits of a gateway. Zero fields take the defaults.
type Settings struct {
	// Users lists who may link an account: domains ("example.org") and patterns of bare
	// addresses ("*@*.example.org"). Empty means nobody.
	Users []string
	// Hosts lists the domains whose stanzas are accepted at all; empty means those of
	// every domain. A component of a server that federates wants it set.
	Hosts []string
	// Admins may replay failed events and see all accounts: bare addresses.
	Admins []string

	KeepWaiting time.Duration // how long a message waits for the network before it comes back; 24 h
	KeepKeys    time.Duration // how long keys of events and stanzas are remembered; 7 days
	KeepArchive time.Duration // how long the rooms' archive is kept; 0 is for ever
	TellAfter   time.Duration // how long a message waits before its sender is told; 5 s
	CatchUpHold time.Duration // how long live events are held behind a catch-up that fails; 10 min
	EchoWait    time.Duration // how long the network may take to tell us of our own change; 1 min

	History  int     // messages read from a room that is new; 50
	Members  int     // members of a room shown without having spoken; 200
	CatchUp  int     // messages read of one room in one catch-up; 2000
	Page     int     // messages asked for at once; 100
	Text     int     // bytes of one text from outside; 64 KiB
	Accounts int     // of one user; 10
	Rooms    int     // of one account; 10000
	Pending  int     // inbox rows that wait in one room; 20000
	Queue    int     // outbox rows that wait in one room; 1000
	Stanzas  int     // stanzas a second from one user; 50, below 0: no limit
	Calls    float64 // history calls a second of one account; 1
}

// orDefaults fills what was left open.
func (s Settings) orDefaults() Settings {
	def(&s.KeepWaiting, 24*time.Hour)
	def(&s.KeepKeys, 7*24*time.Hour)
	def(&s.TellAfter, 5*time.Second)
	def(&s.CatchUpHold, 10*time.Minute)
	def(&s.EchoWait, time.Minute)
	def(&s.History, 50)
	def(&s.Members, 200)
	def(&s.CatchUp, 2000)
	def(&s.Page, 100)
	def(&s.Text, 64<<10)
	def(&s.Accounts, 10)
	def(&s.Rooms, 10000)
	def(&s.Pending, 20000)
	def(&s.Queue, 1000)
	def(&s.Stanzas, 50)
	def(&s.Calls, 1)
	return s
}

func def[T int | float64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Limits that nobody needs to change.
const (
	batchEvents   = 64               // events of one room processed in one transaction
	maxKey        = 512              // bytes of an event's key
	maxID         = 255              // bytes of a network's id
	maxName       = 256              // bytes of a name shown
	maxFiles      = 20               // files of one message
	maxParts      = 50               // parts of one text
	callTimeout   = 2 * time.Minute  // of one call of a session
	lookupTimeout = 15 * time.Second // of a look-up that an event waits for
	clockSkew     = 5 * time.Second  // by how much the network's clock may be behind ours
	backoffMin    = time.Second
	backoffMax    = 5 * time.Minute
	dialogueIdle  = 15 * time.Minute // after which a login is forgotten
)

// mayUse tells whether a person may link accounts here.
func (s Settings) mayUse(who jid.JID) bool {
	for _, p := range s.Users {
		if !strings.ContainsAny(p, "@*?") {
			p = "*@" + p
		}
		if ok, err := path.Match(strings.ToLower(p), who.Bare().String()); err == nil && ok {
			return true
		}
	}
	return false
}

// mayUseSome tells whether there may be people of a domain who may link accounts here.
func (s Settings) mayUseSome(domain string) bool {
	for _, p := range s.Users {
		p = strings.ToLower(p[strings.LastIndexByte(p, '@')+1:])
		if ok, err := path.Match(p, domain); err == nil && ok {
			return true
		}
	}
	return false
}

// accepts tells whether stanzas of that sender are looked at.
func (s Settings) accepts(from jid.JID) bool {
	if len(s.Hosts) == 0 {
		return true
	}
	for _, h := range s.Hosts {
		if strings.EqualFold(h, from.Domain()) {
			return true
		}
	}
	return false
}

func (s Settings) isAdmin(who jid.JID) bool {
	for _, a := range s.Admins {
		if a == who.Bare().String() {
			return true
		}
	}
	return false
}
