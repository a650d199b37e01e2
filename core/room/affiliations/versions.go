package affiliations

import (
	"crypto/rand"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Kept is how many versions of the lists are remembered. Who knows an older one gets the whole lists.
const Kept = 500

// Version is the state of the lists after a change of one affiliation (XEP-0463).
type Version struct {
	Position int64   // rises by one with each version
	ID       string  // cannot be guessed, and is never given twice, also not by another room of the same address
	JID      jid.JID // whose affiliation has changed; zero for the first version
	Before   rules.Affiliation
}

// FirstVersion returns the version of the lists of a new room.
func FirstVersion() Version { return Version{Position: 1, ID: rand.Text()} }

// Step is a change from one version to the next; the zero Step is no change of an affiliation.
type Step struct {
	Since, Until string
	Before       rules.Affiliation
}

// Planned returns the versions that the last Plan leads to. They are to be made durable with its changes.
func (l *Lists) Planned() []Version { return slices.Clone(l.planned) }

// planVersions computes the versions of planned changes.
func (l *Lists) planVersions(plan []Change) {
	l.planned = nil
	position := l.versions[len(l.versions)-1].Position
	changed := map[jid.JID]rules.Affiliation{}
	for _, c := range plan {
		before, again := changed[c.JID]
		if !again {
			before = l.own(c.JID)
		}
		if before == c.Entry.Affiliation {
			continue
		}
		changed[c.JID] = c.Entry.Affiliation
		position++
		l.planned = append(l.planned, Version{Position: position, ID: rand.Text(), JID: c.JID, Before: before})
	}
}

// own returns the affiliation of an entry.
func (l *Lists) own(j jid.JID) rules.Affiliation {
	if e, ok := l.entries[j]; ok {
		return e.Affiliation
	}
	return rules.AffNone
}

// advance goes to the version of a change that is carried out.
func (l *Lists) advance(j jid.JID, before rules.Affiliation) Step {
	if l.own(j) == before {
		return Step{}
	}
	next := Version{Position: l.versions[len(l.versions)-1].Position + 1, ID: rand.Text(), JID: j, Before: before}
	if i := slices.IndexFunc(l.planned, func(v Version) bool { return v.JID == j }); i >= 0 {
		next = l.planned[i]
		l.planned = slices.Delete(l.planned, i, i+1)
	}
	s := Step{Since: l.Version(), Until: next.ID, Before: before}
	l.versions = slices.Concat(l.versions[max(0, len(l.versions)-Kept+1):], []Version{next}) // a copy: Versions has given it away
	return s
}

// Version returns the id of the current version.
func (l *Lists) Version() string { return l.versions[len(l.versions)-1].ID }

// Versions returns the versions that are remembered, the oldest first. The caller must not change the list.
func (l *Lists) Versions() []Version { return l.versions }

// Difference is an address whose affiliation has changed since a version.
type Difference struct {
	JID         jid.JID
	Before, Now rules.Affiliation
}

// Since returns what has changed since a version, each address once; false if the version is not known.
func (l *Lists) Since(version string) ([]Difference, bool) {
	i := slices.IndexFunc(l.versions, func(v Version) bool { return v.ID == version })
	if i < 0 {
		return nil, false
	}
	var list []Difference
	seen := map[jid.JID]bool{}
	for _, v := range l.versions[i+1:] {
		if !seen[v.JID] && !v.JID.IsZero() {
			seen[v.JID] = true
			list = append(list, Difference{JID: v.JID, Before: v.Before, Now: l.own(v.JID)})
		}
	}
	return list, true
}

// restoreVersions replaces the versions by stored ones. Lists that have none begin with a version that nobody knows.
func (l *Lists) restoreVersions(stored []Version) {
	l.versions = slices.Clone(stored[max(0, len(stored)-Kept):])
	if len(l.versions) == 0 {
		l.versions = []Version{FirstVersion()}
	}
}
