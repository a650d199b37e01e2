package discord

import (
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// flagVoice marks a message whose file was spoken into it (docs: Message Flags).
const flagVoice = int(discordgo.MessageFlagsIsVoiceMessage)

// maxDuration is the longest duration of a file that is believed, in seconds.
const maxDuration = 7 * 24 * 60 * 60

// files returns the attachments of a message and of the messages that it forwards. An attachment's URL is valid for a
// day (docs: Signed Attachment CDN URLs), its Ref for as long as the message exists.
func files(m *objects.Message) []transports.File {
	attachments := m.Attachments
	for _, snapshot := range m.Snapshots {
		if snapshot.Message != nil {
			attachments = append(attachments[:len(attachments):len(attachments)], snapshot.Message.Attachments...)
		}
	}
	kind := transports.FileAttachment
	if m.Flags&flagVoice != 0 {
		kind = transports.FileVoice
	}
	var list []transports.File
	for _, a := range attachments {
		if a.ID == "" && a.URL == "" {
			continue
		}
		name := a.Name
		if a.Title != "" && !strings.Contains(a.Title, ".") { // the title is the name without its extension, before Discord replaced characters in it
			name = a.Title + extension(a.Name)
		}
		list = append(list, transports.File{
			ID: a.ID, Name: name, MIME: a.MIME, Size: a.Size, URL: a.URL, Ref: m.ChannelID + "/" + m.ID + "/" + a.ID,
			Width: a.Width, Height: a.Height, Alt: a.Alt, Duration: int(min(max(a.Duration, 0), maxDuration)), Kind: kind,
		})
	}
	return list
}

func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
