package config

import (
	"slices"
	"time"
)

// Rooms is section [rooms].
type Rooms struct {
	Domain     string `toml:"domain" doc:"First part of the domain of each host's rooms: conference.example.org, for example. Empty: there are none; nor are there any where a component or gateway has that domain."`
	Create     string `toml:"create" reload:"yes" doc:"Who may create rooms: 'anyone', 'accounts' of the served hosts, or 'admins'."`
	PerAccount int    `toml:"per_account" reload:"yes" doc:"Rooms that exist at the same time and were created by one address. Administrators have no limit."`

	Public      bool `toml:"public" reload:"yes" doc:"Whether new rooms are in the list of rooms. The owner of a room can change this and the following defaults."`
	Persistent  bool `toml:"persistent" reload:"yes" doc:"Whether new rooms stay when everybody has left."`
	MembersOnly bool `toml:"members_only" reload:"yes" doc:"Whether only members may enter new rooms."`
	Moderated   bool `toml:"moderated" reload:"yes" doc:"Whether those who enter new rooms may not write before a moderator allows it."`
	ShowJIDs    bool `toml:"show_addresses" reload:"yes" doc:"Whether everybody in a new room sees the addresses of the others, and not only moderators."`

	Occupants       int      `toml:"occupants" reload:"yes" doc:"People in one room at a time."`
	Affiliations    int      `toml:"affiliations" reload:"yes" doc:"Owners, admins, members and banned addresses of one room together. Members take at most three quarters of them, so that there is room for bans."`
	NickBytes       Bytes    `toml:"nick_bytes" reload:"yes" doc:"Length of a nickname."`
	SubjectBytes    Bytes    `toml:"subject_bytes" reload:"yes" doc:"Length of a subject, and of a reason."`
	MessageBytes    Bytes    `toml:"message_bytes" reload:"yes" doc:"Size of a message to a room."`
	Messages        int      `toml:"messages" reload:"yes" doc:"Messages in a minute of one occupant to a room, with private messages, invitations and registrations; a third as many at once. 0: no limit."`
	History         int      `toml:"history" reload:"yes" doc:"Messages that are shown at most to who enters a room."`
	Archive         bool     `toml:"archive" reload:"yes" doc:"Whether rooms have archives (XEP-0313) that those can search who may enter. The owner of a room can switch its archive off."`
	ArchiveTime     Duration `toml:"archive_time" reload:"yes" doc:"How long messages stay in the archives of rooms. 0: for ever."`
	ArchiveQueries  int      `toml:"archive_queries" reload:"yes" doc:"Queries of the archives of rooms in a minute of one address; a third as many at once. 0: no limit."`
	ArchiveMessages int      `toml:"archive_messages" reload:"yes" doc:"Messages in the archive of one room; the oldest ones are deleted. 0: no limit."`
	Searches        int      `toml:"searches" reload:"yes" doc:"Searches for public rooms (XEP-0433) in a minute of one address. 0: no limit."`
	SearchResults   int      `toml:"search_results" reload:"yes" doc:"Rooms on one page of such a search."`
	Idle            Duration `toml:"idle" doc:"How long a room that nobody is in stays in memory."`
}

func defaultRooms() Rooms {
	return Rooms{
		Domain: "conference", Create: "accounts", PerAccount: 100, Public: true,
		Occupants: 10_000, Affiliations: 10_000, NickBytes: 256, SubjectBytes: 4096, MessageBytes: 256 << 10, Messages: 180, History: 100,
		Archive: true, ArchiveTime: Duration(365 * 24 * time.Hour), ArchiveQueries: 600, Searches: 30, SearchResults: 100, Idle: Duration(5 * time.Minute),
	}
}

func (r *Rooms) validate(p *Problems) {
	if r.Domain != "" {
		domain(p, "rooms.domain", r.Domain)
	}
	if !slices.Contains([]string{"anyone", "accounts", "admins"}, r.Create) {
		p.add("rooms.create", "%q is not anyone, accounts or admins", r.Create)
	}
	for path, n := range map[string]int64{
		"rooms.per_account": int64(r.PerAccount), "rooms.occupants": int64(r.Occupants), "rooms.affiliations": int64(r.Affiliations),
		"rooms.nick_bytes": int64(r.NickBytes), "rooms.subject_bytes": int64(r.SubjectBytes), "rooms.message_bytes": int64(r.MessageBytes),
		"rooms.history": int64(r.History), "rooms.search_results": int64(r.SearchResults), "rooms.idle": int64(r.Idle),
	} {
		positive(p, path, n)
	}
	for path, n := range map[string]int64{
		"rooms.messages": int64(r.Messages), "rooms.archive_time": int64(r.ArchiveTime), "rooms.archive_messages": int64(r.ArchiveMessages), "rooms.archive_queries": int64(r.ArchiveQueries), "rooms.searches": int64(r.Searches),
	} {
		if n < 0 {
			p.add(path, "must not be negative")
		}
	}
}
