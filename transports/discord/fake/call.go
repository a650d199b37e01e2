package fake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is a request as its handler sees it.
type call struct {
	s      *Server
	app    *app
	params map[string]string
	query  url.Values
	body   obj
	files  map[string]File // by the number in files[n]
}

// read takes the body in: JSON, a form, or both in multipart. (reference.mdx, Uploading Files)
func (x *exchange) read() (*call, error) {
	c := &call{s: x.s, params: x.params, query: x.r.URL.Query(), body: obj{}}
	for name, value := range x.params {
		if strings.HasSuffix(name, "_id") && !ID(value).valid() {
			return nil, notSnowflake(name, value)
		}
	}
	if x.r.Method == http.MethodGet || x.r.Method == http.MethodDelete {
		return c, nil
	}
	kind, params, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil {
		if x.r.ContentLength > 0 {
			return nil, errBadJSON()
		}
		return c, nil
	}
	data, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, maxRequest))
	if err != nil {
		return nil, errTooLarge()
	}
	switch kind {
	case "application/json":
		x.body = data
	case "multipart/form-data":
		if x.body, c.files, err = parts(data, params["boundary"]); err != nil {
			return nil, err
		}
	default:
		return nil, invalidForm("_", "CONTENT_TYPE_INVALID", "Expected \"Content-Type\" header to be one of {'application/json'}.")
	}
	if x.body == nil {
		x.body = []byte("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(x.body))
	decoder.UseNumber()
	if decoder.Decode(&c.body) != nil || c.body == nil || decoder.More() {
		return nil, errBadJSON()
	}
	return c, nil
}

// parts takes a multipart body apart: payload_json and the files.
func parts(data []byte, boundary string) ([]byte, map[string]File, error) {
	var payload []byte
	files := map[string]File{}
	reader := multipart.NewReader(bytes.NewReader(data), boundary)
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return payload, files, nil
		}
		if err != nil {
			return nil, nil, errBadJSON()
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, errBadJSON()
		}
		name := part.FormName()
		if name == "payload_json" {
			payload = content
			continue
		}
		number, ok := strings.CutPrefix(strings.TrimSuffix(name, "]"), "files[")
		if !ok {
			number, ok = strings.CutPrefix(name, "file") // the older form, still in use
		}
		if !ok {
			return nil, nil, invalidForm(name, "UNKNOWN_FIELD", "This part is not known.")
		}
		if len(content) > maxFileSize {
			return nil, nil, errTooLarge()
		}
		files[number] = File{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: content}
		if len(files) > maxFiles {
			return nil, nil, refuse(http.StatusBadRequest, 30015, "Maximum number of attachments in a message reached (10)")
		}
	}
}

func notSnowflake(field, value string) *Error {
	return invalidForm(field, "NUMBER_TYPE_COERCE", "Value \""+value+"\" is not snowflake.")
}

func (c *call) id(name string) ID { return ID(c.params[name]) }

// text is a string of the body; "" where it is absent or null.
func (c *call) text(key string) (string, error) {
	switch v := c.body[key].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", invalidForm(key, "BASE_TYPE_STRING", "Could not interpret as string.")
}

// has reports whether the body names the key at all.
func (c *call) has(key string) bool { _, ok := c.body[key]; return ok }

func (c *call) flag(key string) bool { v, _ := c.body[key].(bool); return v }

// number is an integer of an object, or the default.
func number(b obj, key string, otherwise int) (int, error) {
	switch v := b[key].(type) {
	case nil:
		return otherwise, nil
	case json.Number:
		n, err := strconv.Atoi(v.String())
		if err == nil {
			return n, nil
		}
	}
	return 0, invalidForm(key, "NUMBER_TYPE_COERCE", "Value is not int.")
}

// limitOf is the query's limit between one and the most.
func (c *call) limitOf(otherwise, most int) (int, error) {
	text := c.query.Get("limit")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalidForm("limit", "NUMBER_TYPE_COERCE", "Value \""+text+"\" is not int.")
	}
	if n < 1 {
		return 0, invalidForm("limit", "NUMBER_TYPE_MIN", "int value should be greater than or equal to 1.")
	}
	if n > most {
		return 0, invalidForm("limit", "NUMBER_TYPE_MAX", "int value should be less than or equal to "+strconv.Itoa(most)+".")
	}
	return n, nil
}

// queryID is a snowflake of the query.
func (c *call) queryID(name string) (ID, error) {
	text := c.query.Get(name)
	if text != "" && !ID(text).valid() {
		return "", notSnowflake(name, text)
	}
	return ID(text), nil
}

// view is how the calling bot looks at messages.
func (c *call) view() view {
	if c.app == nil {
		return view{content: true}
	}
	return view{user: c.app.user, app: c.app, content: c.app.allowed&IntentContent != 0}
}

// The handlers' common beginnings: what the bot may see at all.

// guild is the guild of the path, where the bot is a member.
func (c *call) guild() (*guild, error) {
	g := c.s.guilds[c.id("guild_id")]
	if g == nil {
		return nil, errUnknownGuild()
	}
	if !c.app.in(g) {
		return nil, errMissingAccess()
	}
	return g, nil
}

// channel is the channel of the path, which the bot can see and where it has the permissions.
func (c *call) channel(need Permissions) (*channel, error) {
	ch := c.s.channels[c.id("channel_id")]
	if ch == nil {
		return nil, errUnknownChannel()
	}
	if err := ch.allows(c.app.user, need); err != nil {
		return nil, err
	}
	return ch, nil
}

// allows is nil where the user sees the channel and has the permissions there.
func (c *channel) allows(u *user, need Permissions) error {
	p := c.permissions(u)
	if !p.has(ViewChannel) {
		return errMissingAccess()
	}
	if !p.has(need) {
		return errNoPermission()
	}
	return nil
}

// message is the message of the path in a channel that the bot may read.
func (c *call) message(need Permissions) (*message, error) {
	ch, err := c.channel(need)
	if err != nil {
		return nil, err
	}
	m := ch.index[c.id("message_id")]
	if m == nil {
		return nil, errUnknownMessage()
	}
	return m, nil
}
