package discord

import (
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Types of messages that are not sentences with their author (docs: Message Types).
const (
	typeThreadCreated = int(discordgo.MessageTypeThreadCreated)
	typeThreadStarter = int(discordgo.MessageTypeThreadStarterMessage)
)

// notices are the sentences for types of messages that Discord itself makes. {who} is the author, {content} the content in
// quotation marks, {them} whom it mentions.
var notices = map[int]string{
	1: "{who} added {them}", 2: "{who} removed {them}", 4: "{who} changed the name of the channel: {content}",
	5: "{who} changed the picture of the channel", 6: "{who} pinned a message", 7: "{who} joined the server", 9: "{who} boosted the server to level 1",
	10: "{who} boosted the server to level 2", 11: "{who} boosted the server to level 3",
	12: "{who} has this channel follow {content}: its announcements appear here",
	14: "The server was removed from Server Discovery: it does not meet the requirements any longer",
	15: "The server meets the requirements of Server Discovery again and is listed there",
	16: "The server has not met the requirements of Server Discovery for a week. After four weeks it is removed",
	17: "The server has not met the requirements of Server Discovery for three weeks. After one more it is removed",
	22: "{who} was reminded to invite people", 24: "Automatic moderation stopped a message of {who}", 26: "{who} was offered a subscription to an app",
	27: "{who} started the stage {content}", 28: "{who} ended the stage {content}", 29: "{who} is a speaker now",
	31: "{who} changed the topic of the stage: {content}", 32: "{who} upgraded the app for this server",
	36: "{who} switched on security actions for the server", 37: "{who} switched off security actions for the server",
	38: "{who} reported a raid", 39: "{who} reported that an alarm about a raid was false", 44: "{who} bought something",
	55: "{who} switched on streaming in high definition",
}

// details are the types whose sentences need more than their content.
var details = map[int]func(s *client, m *objects.Message, who string) string{
	3: func(_ *client, m *objects.Message, who string) string {
		if m.Call != nil && m.Call.Ended != nil {
			return who + " started a call, which has ended"
		}
		return who + " started a call"
	},
	8: func(_ *client, m *objects.Message, who string) string {
		if n, err := strconv.Atoi(m.Text()); err == nil && n > 1 {
			return who + " boosted the server " + strconv.Itoa(n) + " times"
		}
		return who + " boosted the server"
	},
	typeThreadCreated: func(_ *client, m *objects.Message, who string) string { return who + " started the thread " + m.Text() },
	25: func(_ *client, m *objects.Message, who string) string {
		d := m.Subscription
		switch {
		case d == nil || d.Tier == "":
			return who + " took out a subscription"
		case d.Renewal:
			return who + " renewed the subscription to " + d.Tier + ", for month " + strconv.Itoa(max(d.Months, 1)) + " now"
		}
		return who + " took out a subscription to " + d.Tier
	},
	content.TypePollResult: func(_ *client, m *objects.Message, _ string) string { return pollResult(m) },
}

// notice is the text of a message that Discord itself makes; nil for one that somebody wrote.
func (s *client) notice(c *objects.Channel, m *objects.Message) richtext.Text {
	who := s.author(m)
	switch {
	case content.Written(m):
		return nil
	case m.Type == typeThreadStarter:
		return s.threadStarter(c, m)
	}
	if sentence := details[m.Type]; sentence != nil {
		return richtext.FromPlain(sentence(s, m, who))
	}
	sentence, known := notices[m.Type]
	if !known {
		sentence = "{who} did something that is not known here (a message of type " + strconv.Itoa(m.Type) + ")"
		if m.Text() != "" {
			sentence += ": {content}"
		}
	}
	var them []string
	for i := range m.Mentions {
		if name := state.Person(&m.Mentions[i], "").Name; name != "" {
			them = append(them, name)
		}
	}
	if len(them) == 0 {
		them = []string{"somebody"}
	}
	quoted := "“" + m.Text() + "”"
	if m.Text() == "" {
		quoted = ""
	}
	text := strings.NewReplacer("{who}", who, "{content}", quoted, "{them}", strings.Join(them, ", ")).Replace(sentence)
	return richtext.FromPlain(strings.TrimRight(text, ": "))
}

// author is the name of a message's author.
func (s *client) author(m *objects.Message) string {
	if m.Author == nil {
		return "Somebody"
	}
	if name := s.state.ShownAs(m.GuildID, m.Author.ID); name != "" {
		return name
	}
	return state.Person(m.Author, "").Name
}

// threadStarter is the first message of a thread: the message that it hangs on.
func (s *client) threadStarter(c *objects.Channel, m *objects.Message) richtext.Text {
	r := m.Referenced
	if r == nil || r.Author == nil {
		return richtext.FromPlain("This thread hangs on a message of its channel.")
	}
	t := richtext.FromPlain("This thread hangs on a message of " + s.author(r) + ":")
	if body := content.NewReader(s.state, c, r).Body(r); !body.IsEmpty() {
		t = append(t, richtext.Node{Kind: richtext.Quote, Children: body})
	}
	return t
}

// pollResult is the result of a poll, which is in an embed (docs: Poll Result Embed Fields).
func pollResult(m *objects.Message) string {
	fields := map[string]string{}
	for i := range m.Embeds {
		for _, f := range m.Embeds[i].Fields {
			fields[f.Name] = f.Value
		}
	}
	text := "The poll has ended"
	if q := fields["poll_question_text"]; q != "" {
		text = "The poll “" + q + "” has ended"
	}
	winner := strings.TrimSpace(fields["victor_answer_emoji_name"] + " " + fields["victor_answer_text"])
	switch votes, total := fields["victor_answer_votes"], fields["total_votes"]; {
	case winner != "" && votes != "" && total != "":
		text += ": " + winner + " has " + votes + " of " + total + " votes"
	case winner != "":
		text += ": " + winner
	case total == "0":
		text += " without votes"
	case total != "":
		text += ": no answer won, with " + total + " votes"
	}
	return text
}

// command is the line above an app's answer to a command; "" for any other message.
func (s *client) command(m *objects.Message) string {
	if m.Type != content.TypeCommand || m.Interaction == nil || m.Interaction.Name == "" {
		return ""
	}
	user := m.Interaction.User
	if user == nil && m.InteractionMetadata != nil {
		user = m.InteractionMetadata.User
	}
	return s.author(&objects.Message{GuildID: m.GuildID, Author: user}) + " used /" + m.Interaction.Name
}
