package discord

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxNonce is the longest nonce (docs: Create Message), in characters.
const maxNonce = 25

// maxMentioned is how many people one message may alert (docs: Allowed Mentions Object).
const maxMentioned = 100

// mentions allows a message to alert those whom it names, and everybody only where its author has asked for that.
func mentions(t richtext.Text) *discordgo.MessageAllowedMentions {
	allowed := &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}}
	seen := map[string]bool{}
	t.Walk(func(n *richtext.Node) {
		if n.Kind == richtext.All && n.ID != "" {
			allowed.Parse = []discordgo.AllowedMentionType{discordgo.AllowedMentionTypeEveryone}
			return
		}
		list := &allowed.Users
		if n.Kind == richtext.Group {
			list = &allowed.Roles
		} else if n.Kind != richtext.Mention {
			return
		}
		if content.IsSnowflake(n.ID) && !seen[n.ID] && len(*list) < maxMentioned {
			seen[n.ID] = true
			*list = append(*list, n.ID)
		}
	})
	return allowed
}

// mentioned is a text of ours with mentions where it names people, roles or channels of the guild, and with the guild's emoji.
func (s *client) mentioned(c *objects.Channel, t richtext.Text) richtext.Text {
	if !s.state.Allows(c, s.cred.Bot, objects.PermissionMentionEveryone) { // a webhook may, whatever the bot may
		t = t.Unasked()
	}
	return richtext.Mentions(t, "@#:", func(sign byte, text string) (richtext.Node, int) { return s.state.Named(c.GuildID, sign, text) })
}

// Send writes a message: in a guild's channel under the persona's name through a webhook, else as the bot.
func (s *client) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	c, err := s.visibleChannel(ctx, m.Room)
	if err != nil {
		return transports.Sent{}, err
	}
	m.Text = s.mentioned(c, m.Text)
	if m.Author != nil && c.GuildID != "" && !s.isWithoutWebhook(c) {
		sent, err := s.relay(ctx, c, m)
		why, without := noWebhook[rest.Code(err)]
		if !without {
			return sent, err
		}
		s.noteNoWebhook(c, why)
	}
	if m.Author != nil {
		m.Text = named(m) // without a webhook the bot names the author
	}
	return s.sendAsBot(ctx, c, m)
}

// named is the text with its speaker's name before it.
func named(m transports.Outgoing) richtext.Text {
	head := richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain(m.Author.Name)}, {Text: ": "}}
	return append(head, m.Text...)
}

// sendAsBot writes as the bot. The nonce makes a repeated call answer with the message of the first one.
func (s *client) sendAsBot(ctx context.Context, c *objects.Channel, m transports.Outgoing) (transports.Sent, error) {
	return s.write(ctx, c, m, s.contents(m, ""), func(i int, text string) (transports.Sent, error) {
		body := map[string]any{
			"content": text, "nonce": nonce(m.ClientID, i), "enforce_nonce": true, "allowed_mentions": mentions(m.Text),
		}
		if i == 0 && content.IsSnowflake(string(m.ReplyTo)) {
			body["message_reference"] = discordgo.MessageReference{MessageID: string(m.ReplyTo), FailIfNotExists: new(bool)}
		}
		var answer objects.Message
		r := s.withFiles(rest.Request{Method: http.MethodPost, Route: "/channels/{}/messages", Args: []string{c.ID}, Body: body}, body, i, m)
		if err := s.api.Call(ctx, r, &answer); err != nil {
			return transports.Sent{}, fileFault(r, s.fault(err))
		}
		return sent(&answer)
	})
}

// write posts what a message has become, one after the other. After a first attempt, what that one has
// posted is looked for and not posted again.
func (s *client) write(ctx context.Context, c *objects.Channel, m transports.Outgoing, contents []string, post func(i int, content string) (transports.Sent, error)) (all transports.Sent, err error) {
	var done []string
	if m.Attempt > 1 {
		if done, err = s.find(ctx, c.ID, m, len(contents)); err != nil {
			return all, err
		}
	}
	for i, content := range contents {
		one := transports.Sent{}
		if i < len(done) {
			one = transports.Sent{ID: transports.MessageID(done[i]), At: snowflakeTime(done[i])}
		} else if one, err = post(i, content); err != nil {
			return transports.Sent{}, err
		}
		if i == 0 {
			all, all.Earlier = one, len(done) > 0
		} else {
			all.More = append(all.More, one.ID)
		}
	}
	return all, nil
}

func sent(m *objects.Message) (transports.Sent, error) {
	if m.ID == "" {
		return transports.Sent{}, rest.Unreadable("an answer without the message's id")
	}
	return transports.Sent{ID: transports.MessageID(m.ID), At: snowflakeTime(m.ID)}, nil
}

// nonce is the bridge's id cut to what Discord takes, its random part being at the end; parts after the
// first have their number behind it.
func nonce(id string, part int) string {
	id = strings.ReplaceAll(id, "-", "")
	if part > 0 {
		id += strconv.FormatInt(int64(part), 36)
	}
	return id[max(0, len(id)-maxNonce):]
}

// contents is what a message becomes. The bridge cuts texts to what Discord takes, but what stands before them, such as the
// author's name, can make one longer: then it goes in several pieces, in each of which what was open is opened again.
func (s *client) contents(m transports.Outgoing, lead string) []string {
	var pieces []string
	for _, t := range s.cutter(m, lead, 0).Split(m.Text) {
		m.Text = t
		pieces = append(pieces, lead+content.Markup(m))
		lead = ""
	}
	return pieces
}

// cutter cuts a text into what fits behind lead.
func (s *client) cutter(m transports.Outgoing, lead string, parts int) richtext.Cutter {
	return richtext.Cutter{
		Limit: maxText - utf8.RuneCountInString(lead), Parts: parts,
		Length: func(t richtext.Text) int {
			m.Text = t
			return utf8.RuneCountInString(content.Markup(m))
		},
	}
}

// clockSkew is by how much our clock and Discord's may differ when a message is looked for.
const clockSkew = 5 * time.Minute

// find looks for what an earlier attempt has posted: messages of ours that the bridge does not know. A room's
// calls are made one at a time, so there are no others.
func (s *client) find(ctx context.Context, channel string, m transports.Outgoing, most int) (ids []string, err error) {
	after := snowflakeAt(m.Since.Add(-clockSkew))
	for {
		page, full, err := s.page(ctx, channel, after, "", maxPage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			p := &page[i]
			after = p.ID
			if p.Type != content.TypeDefault && p.Type != content.TypeReply || !s.own(p) {
				continue
			}
			same := p.Nonce != "" && p.Nonce == nonce(m.ClientID, len(ids))
			if !same && (m.Known == nil || m.Known(transports.MessageID(p.ID))) {
				continue
			}
			if ids = append(ids, p.ID); len(ids) == most {
				return ids, nil
			}
		}
		if !full || len(page) == 0 {
			return ids, nil
		}
	}
}

// CanRelay reports that messages may go out under another name: in a guild's channels.
func (s *client) CanRelay(ctx context.Context, room transports.RoomID) bool {
	c, err := s.visibleChannel(ctx, room)
	return err == nil && c.GuildID != ""
}
