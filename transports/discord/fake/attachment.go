package fake

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // sizes of uploaded pictures
	_ "image/jpeg"
	"image/png"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// attachment is a file of a message.
type attachment struct {
	id          ID
	channel     ID
	name        string
	mime        string
	data        []byte
	description string
	width       int
	height      int
	seconds     float64 // of a voice message
	waveform    string
}

// File is a file of a message.
type File struct {
	Name        string
	MIME        string
	Data        []byte
	Description string
}

// keep stores a file for a channel.
func (s *Server) keep(c *channel, f File) *attachment {
	a := &attachment{id: s.newID(), channel: c.id, name: cleanName(f.Name), mime: f.MIME, data: f.Data, description: f.Description}
	if a.mime == "" {
		a.mime = http.DetectContentType(f.Data)
	}
	if size, _, err := image.DecodeConfig(bytes.NewReader(f.Data)); err == nil {
		a.width, a.height = size.Width, size.Height
	}
	s.files[a.id] = a
	return a
}

// cleanName keeps of a file's name what Discord keeps: letters, digits, dots, dashes and
// underscores of ASCII; spaces become underscores.
func cleanName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '_'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return -1
	}, name)
	if strings.Trim(clean, ".") == "" {
		return "file"
	}
	return clean
}

// attachmentJSON has links that are signed anew each time. (openapi:
// MessageAttachmentResponse; reference.mdx, Signed Attachment CDN URLs)
func (s *Server) attachmentJSON(a *attachment) obj {
	b := obj{
		"id": a.id, "filename": a.name, "size": len(a.data), "content_type": a.mime,
		"url": s.signedURL("/attachments/", a), "proxy_url": s.signedURL("/proxy/attachments/", a),
	}
	if a.description != "" {
		b["description"] = a.description
	}
	if a.width > 0 {
		b["width"], b["height"] = a.width, a.height
	}
	if a.waveform != "" {
		b["duration_secs"], b["waveform"] = a.seconds, a.waveform
	}
	return b
}

func (s *Server) signedURL(prefix string, a *attachment) string {
	issued := s.now()
	path := fmt.Sprintf("%s/%s/%s", a.channel, a.id, a.name)
	ex := strconv.FormatInt(issued.Add(s.opts.LinkTTL).Unix(), 16)
	is := strconv.FormatInt(issued.Unix(), 16)
	return fmt.Sprintf("%s%s%s?ex=%s&is=%s&hm=%s&", s.base, prefix, path, ex, is, s.signature(path, ex, is))
}

func (s *Server) signature(path, ex, is string) string {
	mac := hmac.New(sha256.New, s.linkKey)
	fmt.Fprintf(mac, "%s?ex=%s&is=%s", path, ex, is)
	return hex.EncodeToString(mac.Sum(nil))
}

// serveFile answers for cdn.discordapp.com and media.discordapp.net: 404 where the
// signature is wrong or the link too old.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	a := s.linked(path, r.URL.Query())
	s.mu.Unlock()
	if a == nil {
		http.Error(w, "This content is no longer available.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", a.mime)
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(a.name))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}

// linked finds the attachment of a signed link.
func (s *Server) linked(path string, q url.Values) *attachment {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return nil
	}
	want := s.signature(path, q.Get("ex"), q.Get("is"))
	if !hmac.Equal([]byte(want), []byte(q.Get("hm"))) {
		return nil
	}
	until, err := strconv.ParseInt(q.Get("ex"), 16, 64)
	if err != nil || s.now().Unix() >= until {
		return nil
	}
	a := s.files[ID(parts[1])]
	if a == nil || string(a.channel) != parts[0] || a.name != parts[2] {
		return nil
	}
	return a
}

// servePicture answers for avatars and icons with a pattern in one colour, both taken from
// the hash, so that pictures differ.
func servePicture(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.URL.Path))
	img := image.NewPaletted(image.Rect(0, 0, 70, 70), append(paletteOf(sum), color.White))
	for x := range 70 { // a pattern of five squares by five, the same from both sides
		for y := range 70 {
			if column := min(x/14, 4-x/14); sum[5*column+y/14+3]&1 == 1 {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	w.Header().Set("Content-Type", "image/png")
	if err := png.Encode(w, img); err != nil {
		return // the client went away
	}
}
