package fake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// draft is a message before it is one: what bots, webhooks and people give.
type draft struct {
	channel  *channel
	author   *user
	hook     *webhook
	persona  persona
	app      *app
	content  string
	embeds   []obj
	files    []*attachment
	stickers []*sticker
	ref      *reference
	snapshot *message
	nonce    any
	once     bool // enforce_nonce
	allowed  *allowed
	flags    int
	tts      bool
}

// allowed is allowed_mentions: nil for "all that the text names", by webhooks users only.
type allowed struct {
	users, roles, everyone bool
	userIDs, roleIDs       []ID
	replied                bool
}

// draftOf reads what every message of the API has in common.
func (c *call) draftOf(ch *channel, b obj, files map[string]File) (*draft, error) {
	d := &draft{channel: ch, app: c.app}
	content, ok := b["content"].(string)
	if b["content"] != nil && !ok {
		return nil, invalidForm("content", "BASE_TYPE_STRING", "Could not interpret as string.")
	}
	d.content = strings.TrimSpace(content)
	if utf8.RuneCountInString(d.content) > maxContent {
		return nil, tooLong("content", maxContent)
	}
	for _, unused := range []string{"components", "sticker_ids"} {
		if list, _ := b[unused].([]any); len(list) > 0 {
			return nil, invalidForm(unused, "BASE_TYPE_BAD_LENGTH", "This Discord has none of these.")
		}
	}
	if b["poll"] != nil {
		return nil, invalidForm("poll", "BASE_TYPE_CHOICES", "This Discord has no polls.")
	}
	var err error
	if d.embeds, err = embedsOf(b["embeds"]); err != nil {
		return nil, err
	}
	if d.allowed, err = allowedOf(b["allowed_mentions"]); err != nil {
		return nil, err
	}
	if d.flags, err = number(b, "flags", 0); err != nil {
		return nil, err
	}
	d.flags &= settableMessageFlags
	d.tts, _ = b["tts"].(bool)
	if d.files, err = c.filesOf(ch, b, files); err != nil {
		return nil, err
	}
	if d.content == "" && len(d.embeds) == 0 && len(d.files) == 0 {
		return nil, errEmptyMessage()
	}
	return d, nil
}

// filesOf joins the uploaded files and the attachments that describe them.
func (c *call) filesOf(ch *channel, b obj, files map[string]File) ([]*attachment, error) {
	described := map[string]obj{}
	list, _ := b["attachments"].([]any)
	for _, e := range list {
		if o, ok := e.(obj); ok {
			described[fmt.Sprint(o["id"])] = o
		}
	}
	numbers := make([]string, 0, len(files))
	for n := range files {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	var out []*attachment
	for _, n := range numbers {
		f := files[n]
		o := described[n]
		if name, ok := o["filename"].(string); ok && name != "" {
			f.Name = name
		}
		if f.Name == "" {
			return nil, invalidForm("attachments", "BASE_TYPE_REQUIRED", "Required.")
		}
		f.Description, _ = o["description"].(string)
		a := c.s.keep(ch, f)
		a.waveform, _ = o["waveform"].(string)
		if secs, ok := o["duration_secs"].(json.Number); ok {
			a.seconds, _ = secs.Float64()
		}
		out = append(out, a)
	}
	return out, nil
}

// allowedOf reads allowed_mentions. (resources/message.mdx, Allowed Mentions Object)
func allowedOf(v any) (*allowed, error) {
	b, ok := v.(obj)
	if !ok {
		return nil, nil
	}
	a := &allowed{}
	a.replied, _ = b["replied_user"].(bool)
	a.userIDs, a.roleIDs = idsOf(b["users"]), idsOf(b["roles"])
	kinds, _ := b["parse"].([]any)
	for _, k := range kinds {
		switch k {
		case "users":
			a.users = true
		case "roles":
			a.roles = true
		case "everyone":
			a.everyone = true
		default:
			return nil, invalidForm("allowed_mentions", "BASE_TYPE_CHOICES", "Value must be one of {'users', 'everyone', 'roles'}.")
		}
	}
	if a.users && len(a.userIDs) > 0 || a.roles && len(a.roleIDs) > 0 {
		return nil, invalidForm("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse:[\"users\"] and users: [ids...] are mutually exclusive.")
	}
	return a, nil
}

func idsOf(v any) []ID {
	list, _ := v.([]any)
	var out []ID
	for _, e := range list {
		if text, ok := e.(string); ok {
			out = append(out, ID(text))
		}
	}
	return out
}

// embedsOf turns the embeds of a request into those of a message: type rich, without nulls.
func embedsOf(v any) ([]obj, error) {
	list, _ := v.([]any)
	if len(list) > maxEmbeds {
		return nil, tooLong("embeds", maxEmbeds)
	}
	total := 0
	var out []obj
	for _, e := range list {
		b, ok := e.(obj)
		if !ok {
			return nil, invalidForm("embeds", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType.")
		}
		clean := withoutNulls(b)
		clean["type"] = "rich"
		fields, _ := clean["fields"].([]any)
		for _, f := range fields {
			if o, ok := f.(obj); ok && o["inline"] == nil {
				o["inline"] = false
			}
		}
		total += textLength(clean)
		out = append(out, clean)
	}
	if total > 6000 { // resources/message.mdx, Embed Limits
		return nil, invalidForm("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
	}
	return out, nil
}

// withoutNulls copies an object without what is null or empty, as Discord answers it.
func withoutNulls(b obj) obj {
	out := obj{}
	for k, v := range b {
		switch v := v.(type) {
		case nil:
		case obj:
			out[k] = withoutNulls(v)
		case []any:
			list := make([]any, 0, len(v))
			for _, e := range v {
				if o, ok := e.(obj); ok {
					e = withoutNulls(o)
				}
				list = append(list, e)
			}
			if len(list) > 0 {
				out[k] = list
			}
		default:
			out[k] = v
		}
	}
	return out
}

// textLength counts the characters that the limit of all embeds is about.
func textLength(embed obj) int {
	n := 0
	for _, key := range []string{"title", "description"} {
		text, _ := embed[key].(string)
		n += utf8.RuneCountInString(text)
	}
	for _, part := range []struct{ key, text string }{{"footer", "text"}, {"author", "name"}} {
		o, _ := embed[part.key].(obj)
		text, _ := o[part.text].(string)
		n += utf8.RuneCountInString(text)
	}
	fields, _ := embed["fields"].([]any)
	for _, f := range fields {
		o, _ := f.(obj)
		for _, key := range []string{"name", "value"} {
			text, _ := o[key].(string)
			n += utf8.RuneCountInString(text)
		}
	}
	return n
}
