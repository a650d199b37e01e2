package discord

import (
	"strconv"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// Types of messages that we distinguish (docs: Message Types).
const (
	typeDefault       = 0
	typeThreadCreated = 18
	typeReply         = 19
	typeCommand       = 20
	typeThreadStarter = 21
	typeContextMenu   = 23
)

// notices are the types of messages that Discord itself makes; the author's name goes before.
var notices = map[int]string{
	1: "added somebody", 2: "removed somebody", 3: "started a call", 4: "changed the name of the channel", 5: "changed the picture of the channel",
	6: "pinned a message", 7: "joined the server", 8: "boosted the server", 9: "boosted the server to level 1", 10: "boosted the server to level 2",
	11: "boosted the server to level 3", 12: "follows another channel from here", 22: "was reminded to invite people", 24: "automatic moderation stopped a message",
	25: "took out a subscription", 27: "started a stage", 28: "ended a stage", 29: "speaks on a stage", 31: "changed the topic of a stage",
	36: "reported an incident", 37: "ended an incident", 38: "reported a raid", 39: "reported a false alarm", 44: "bought something", 46: "a poll has ended",
}

// notice is the text of a message that Discord itself makes; "" for one that somebody wrote.
func (s *client) notice(m *objects.Message) string {
	who := "Somebody"
	if m.Author != nil {
		if who = s.state.shownAs(m.GuildID, m.Author.ID); who == "" {
			who = person(m.Author, "").Name
		}
	}
	switch m.Type {
	case typeDefault, typeReply, typeCommand, typeContextMenu:
		return ""
	case typeThreadCreated:
		return who + " started the thread " + m.Text()
	case typeThreadStarter:
		if m.Referenced != nil && m.Referenced.Author != nil {
			return "This thread hangs on a message of " + person(m.Referenced.Author, "").Name + ": " + shorten(m.Referenced.Text(), 500)
		}
		return "This thread hangs on a message of its channel."
	}
	if event, ok := notices[m.Type]; ok {
		return who + " " + event
	}
	return who + " did something that is not known here (a message of type " + strconv.Itoa(m.Type) + ")"
}
