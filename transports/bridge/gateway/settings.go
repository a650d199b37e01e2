package gateway

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Settings are the choices and limits of a gateway. Zero fields take the defaults.
type Settings struct {
	// Users lists who may link an account: domains ("example.org") and patterns of bare
	// addresses ("*@*.example.org"). Empty means nobody.
	Users []string
	// Hosts lists the domains whose stanzas are accepted; empty means all domains. It should be set for a
	// component of a server that federates.
	Hosts []string
	// Admins may replay failed events and see all logins: bare addresses.
	Admins []string
	// LinkedRooms are linked to channels once their accounts' logins are online.
	LinkedRooms []LinkedRoom

	KeepWaiting  time.Duration // how long a message waits for the network before it is returned with an error; 24 h
	KeepKeys     time.Duration // how long keys of events and stanzas are remembered; 7 days
	KeepArchive  time.Duration // how long the rooms' archive is kept; 0 is for ever
	NotifyAfter  time.Duration // how long a message waits before its sender is notified; 5 s
	HoldBackfill time.Duration // how long live events are held while a backfill fails; 10 min
	EchoWait     time.Duration // how long the network may take to report our own change; 1 min

	History  int // messages read from a room that is new; 50
	Members  int // members of a room that are shown although they have not written; 200
	Backfill int // messages read of one room in one backfill; 2000
	Page     int // messages asked for at once; 100
	Text     int // bytes of one text from outside; 64 KiB
	Logins   int // of one user; 10
	Rooms    int // of one login; 10000
	Pending  int // inbox rows that may wait in one room; 20000
	Queue    int // outbox rows that may wait in one room; 1000
	Stanzas  int // stanzas a second from one user; 50, below 0: no limit
	// Bookmarks limits the rooms of one login that its owner has bookmarks of; 100, below 0: no bookmarks and no invitations.
	Bookmarks int
	// Autojoin limits the new bookmarks at once whose rooms clients enter by themselves; with more they enter none of these. 20, below 0: none.
	Autojoin int
	Calls    float64 // history calls a second of one login; 1
}

// LinkedRoom is a room that is to be linked to a channel of the gateway.
type LinkedRoom struct {
	Channel, Room jid.JID
	Account       jid.JID // whose login writes to the channel
	People        int     // of the channel, who are in the room at most; 0 is the default
}

// OrDefaults sets the zero fields.
func (s Settings) OrDefaults() Settings {
	setDefault(&s.KeepWaiting, 24*time.Hour)
	setDefault(&s.KeepKeys, 7*24*time.Hour)
	setDefault(&s.NotifyAfter, 5*time.Second)
	setDefault(&s.HoldBackfill, 10*time.Minute)
	setDefault(&s.EchoWait, time.Minute)
	setDefault(&s.History, 50)
	setDefault(&s.Members, 200)
	setDefault(&s.Backfill, 2000)
	setDefault(&s.Page, 100)
	setDefault(&s.Text, 64<<10)
	setDefault(&s.Logins, 10)
	setDefault(&s.Rooms, 10000)
	setDefault(&s.Pending, 20000)
	setDefault(&s.Queue, 1000)
	setDefault(&s.Stanzas, 50)
	setDefault(&s.Bookmarks, 100)
	setDefault(&s.Autojoin, 20)
	setDefault(&s.Calls, 1)
	return s
}

func setDefault[T int | float64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// Times and limits that are not settings.
const (
	CallTimeout   = 2 * time.Minute  // of one call to a client
	LookupTimeout = 15 * time.Second // of a look-up that a user waits for
	ClockSkew     = 5 * time.Second  // by how much the network's clock may be behind ours
	RetryMin      = time.Second      // pause after the first failure
	RetryMax      = 5 * time.Minute
	DialogueIdle  = 15 * time.Minute // after which an unfinished login is forgotten
	RoomsPage     = 500              // rooms read from the store at once
)

// Backoff returns how long to wait after a number of consecutive failures.
func Backoff(failures int) time.Duration {
	d := RetryMax
	if failures < 16 {
		d = min(RetryMin<<failures, RetryMax)
	}
	return d/2 + rand.N(d/2+1)
}

// MayUse reports whether a user may link an account of the network.
func (s Settings) MayUse(who jid.JID) bool {
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

// MayUseSome reports whether at least one user of a domain may link an account.
func (s Settings) MayUseSome(domain string) bool {
	for _, p := range s.Users {
		p = strings.ToLower(p[strings.LastIndexByte(p, '@')+1:])
		if ok, err := path.Match(p, domain); err == nil && ok {
			return true
		}
	}
	return false
}

// Accepts reports whether stanzas of a sender are processed.
func (s Settings) Accepts(from jid.JID) bool {
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

// IsAdmin reports whether a user may see and replay failed events.
func (s Settings) IsAdmin(who jid.JID) bool {
	return slices.ContainsFunc(s.Admins, func(a string) bool {
		admin, err := jid.Parse(a)
		return err == nil && admin == who.Bare()
	})
}
