package rules

import (
	"strings"
	"unicode/utf8"
)

// Limits bound the memory of a room. Zero fields are set to the defaults.
type Limits struct {
	Sessions       int // XMPP sessions in the room
	PerOccupant    int // sessions that share one nick
	Puppets        int // occupants without a session
	Affiliations   int // entries of the lists
	Nick           int // bytes of a nick
	Presence       int // bytes kept of a presence
	Subject        int // bytes of the subject
	History        int // messages that history may ever show
	HistoryBytes   int // bytes of the ring in memory
	PendingQueries int // IQs relayed and not yet answered
	Changes        int // of the presence of one occupant in ten seconds, with entering and changes of nick
	Reserve        int // admins and owners that may enter beyond MaxUsers (XEP-0045 §7.2.9)
}

// The defaults of Limits.
var defaultLimits = Limits{
	Sessions: 2000, PerOccupant: 10, Puppets: 20000, Affiliations: 10000, Nick: 256, Presence: 4096,
	Subject: 4096, History: 100, HistoryBytes: 1 << 20, PendingQueries: 256, Changes: 50, Reserve: 10,
}

// OrDefaults returns the limits with the defaults for those that are not set.
func (l Limits) OrDefaults() Limits {
	d := defaultLimits
	for _, f := range []struct {
		set *int
		def int
	}{
		{&l.Sessions, d.Sessions}, {&l.PerOccupant, d.PerOccupant}, {&l.Puppets, d.Puppets},
		{&l.Affiliations, d.Affiliations}, {&l.Nick, d.Nick}, {&l.Presence, d.Presence},
		{&l.Subject, d.Subject}, {&l.History, d.History}, {&l.HistoryBytes, d.HistoryBytes},
		{&l.PendingQueries, d.PendingQueries}, {&l.Changes, d.Changes}, {&l.Reserve, d.Reserve},
	} {
		if *f.set <= 0 {
			*f.set = f.def
		}
	}
	return l
}

// Truncate shortens s to at most n bytes, at the boundary of a rune.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}
