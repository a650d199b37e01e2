package discord

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"
)

// message is what we read of a message object. It is not discordgo's, which lacks the nonce and the
// application, and takes a message apart three times over.
type message struct {
	ID        string          `json:"id"`
	ChannelID string          `json:"channel_id"`
	GuildID   string          `json:"guild_id"`
	Type      int             `json:"type"`
	Flags     int             `json:"flags"`
	Content   *string         `json:"content"` // absent from partial updates
	Author    *discordgo.User `json:"author"`
	Member    *struct {
		Nick string `json:"nick"`
	} `json:"member"`
	WebhookID   string            `json:"webhook_id"`
	Application string            `json:"application_id"` // the app whose webhook or bot wrote it
	RawNonce    json.RawMessage   `json:"nonce"`          // a string or a number
	Edited      *time.Time        `json:"edited_timestamp"`
	Mentions    []*discordgo.User `json:"mentions"`
	Attachments []attachment      `json:"attachments"`
	Embeds      []embed           `json:"embeds"`
	Stickers    []struct {
		Name string `json:"name"`
	} `json:"sticker_items"`
	Poll *struct {
		Question struct {
			Text string `json:"text"`
		} `json:"question"`
		Answers []struct {
			Media struct {
				Text string `json:"text"`
			} `json:"poll_media"`
		} `json:"answers"`
	} `json:"poll"`
	Reference *struct {
		Type      int    `json:"type"` // 0 a reply, 1 a forward
		MessageID string `json:"message_id"`
		ChannelID string `json:"channel_id"`
	} `json:"message_reference"`
	Referenced *message `json:"referenced_message"`
	Snapshots  []struct {
		Message *message `json:"message"`
	} `json:"message_snapshots"`
	Components json.RawMessage `json:"components"`
}

type attachment struct {
	ID       string  `json:"id"`
	Name     string  `json:"filename"`
	Title    string  `json:"title"`
	Alt      string  `json:"description"`
	MIME     string  `json:"content_type"`
	Size     int64   `json:"size"`
	URL      string  `json:"url"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Duration float64 `json:"duration_secs"`
}

type embed struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	Author      struct {
		Name string `json:"name"`
	} `json:"author"`
	Fields []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"fields"`
	Image struct {
		URL string `json:"url"`
	} `json:"image"`
	Footer struct {
		Text string `json:"text"`
	} `json:"footer"`
}

func (m *message) content() string {
	if m.Content == nil {
		return ""
	}
	return *m.Content
}

// nonce is what the sender gave along.
func (m *message) nonce() string {
	raw := bytes.TrimSpace(m.RawNonce)
	var s string
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return strings.Trim(string(raw), `"`)
}

// byBot reports whether an app wrote it.
func (m *message) byBot() bool { return m.WebhookID != "" || m.Author != nil && m.Author.Bot }
