package fake

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"strings"
)

const maxAlt = 1000

// filesUploadURL is files.getUploadURLExternal: the first of three steps.
func (c *call) filesUploadURL() (map[string]any, error) {
	name, length := c.str("filename"), c.num("length", 0)
	if name == "" || length <= 0 {
		return nil, refuse("missing_argument")
	}
	if length > maxUpload {
		return nil, refuse("file_upload_size_restricted")
	}
	if len([]rune(c.str("alt_txt"))) > maxAlt {
		return nil, refuse("alt_txt_too_large")
	}
	f := c.server.newFile(c.user, name)
	f.length, f.alt, f.install = length, c.str("alt_txt"), c.tok.install
	ticket := secret(16)
	c.server.uploads[ticket] = f
	return map[string]any{"file_id": f.ID, "upload_url": c.server.base + "/upload/v1/" + ticket}, nil
}

// serveUpload is the second step: the bytes, raw or as a form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	fault := s.takeFault("upload")
	if fault.before(s, "upload", w, r) {
		return
	}
	ticket := strings.TrimPrefix(r.URL.Path, "/upload/v1/")
	s.mu.Lock()
	f := s.uploads[ticket]
	s.mu.Unlock()
	if f == nil || r.Method != http.MethodPost {
		http.Error(w, "no such upload", http.StatusNotFound)
		return
	}
	got := &received{sum: sha256.New()}
	if err := uploaded(w, r, got); err != nil {
		http.Error(w, "bad upload", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	ok := got.size == f.length && s.uploads[ticket] == f
	if ok {
		delete(s.uploads, ticket)
		f.fill(got.kept)
		f.sum = [sha256.Size]byte(got.sum.Sum(nil))
	}
	s.mu.Unlock()
	if fault.instead(w) {
		return
	}
	if !ok {
		http.Error(w, "length differs from what was announced", http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(w, "OK - %d", got.size)
}

// maxKept is how much of an upload is kept, in bytes: of a larger file the beginning.
const maxKept = 16 << 20

// received takes the bytes of an upload.
type received struct {
	kept []byte
	size int
	sum  hash.Hash
}

// Write implements io.Writer.
func (r *received) Write(b []byte) (int, error) {
	r.kept = append(r.kept, b[:min(len(b), maxKept-len(r.kept))]...)
	r.size += len(b)
	return r.sum.Write(b)
}

func uploaded(w http.ResponseWriter, r *http.Request, to io.Writer) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+maxBody)
	if ct, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); ct != "multipart/form-data" {
		_, err := io.Copy(to, r.Body)
		return err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return errors.New("no file in the form")
		}
		if err != nil {
			return err
		}
		if p.FormName() != "" { // whatever it is called, and whether or not it has a file name
			_, err := io.Copy(to, p)
			return err
		}
	}
}

// filesComplete is files.completeUploadExternal, the third step. The answer has no ts: the
// share comes after it.
func (c *call) filesComplete() (map[string]any, error) {
	list, ok := c.array("files")
	if !ok || len(list) == 0 {
		return nil, refuse("invalid_array_arg")
	}
	var files []*File
	for _, x := range list {
		spec, _ := x.(map[string]any)
		id, _ := spec["id"].(string)
		f := c.server.files[id]
		if f == nil || f.owner != c.user || f.data == nil || f.done {
			return nil, refuse("file_not_found")
		}
		if t, _ := spec["title"].(string); t != "" {
			f.title = t
		}
		files = append(files, f)
	}
	targets := c.list("channels")
	if id := c.str("channel_id"); id != "" {
		targets = append(targets, id)
	}
	var shares []func()
	for _, id := range targets {
		share, err := c.shareTo(id, files)
		if err != nil {
			return nil, err
		}
		shares = append(shares, share)
	}
	out := []any{}
	for _, f := range files {
		f.done = true
		out = append(out, map[string]any{"id": f.ID, "title": f.title})
		c.server.emit(emission{team: c.team, only: c.user, event: map[string]any{
			"type": "file_created", "file_id": f.ID, "file": map[string]any{"id": f.ID}, "user_id": c.user.ID}})
	}
	c.later = append(c.later, shares...)
	return map[string]any{"files": out}, nil
}

// shareTo makes the share of files in one channel, to be run later.
func (c *call) shareTo(id string, files []*File) (func(), error) {
	ch := c.team.channel(id)
	if ch == nil || !ch.has(c.user) && ch.kind != public {
		return nil, refuse("channel_not_found")
	}
	if !ch.has(c.user) {
		return nil, refuse("not_in_channel")
	}
	m := &message{user: c.user.ID, subtype: "file_share", install: c.tok.install, files: files}
	if text := c.str("initial_comment"); text != "" {
		m.text = c.team.posted(text, "", false)
		m.blocks = richText(m.text)
	} else if blocks, ok := c.array("blocks"); ok {
		if err := checkBlocks(blocks); err != nil {
			return nil, err
		}
		m.blocks = withIDs(blocks)
	}
	if err := c.persona(m); err != nil {
		return nil, err
	}
	m.subtype = "file_share"
	if err := c.inThread(ch, m); err != nil {
		return nil, refuse("posting_to_channel_denied")
	}
	return func() { ch.share(m) }, nil
}

// share posts a message with files: the message and, of each file, file_shared.
func (c *Channel) share(m *message) {
	c.add(m)
	for _, f := range m.files {
		f.shares = append(f.shares, m)
	}
	m.announce()
	for _, f := range m.files {
		c.server.emit(emission{team: c.team, channel: c, event: map[string]any{
			"type": "file_shared", "file_id": f.ID, "file": map[string]any{"id": f.ID},
			"user_id": f.owner.ID, "channel_id": c.ID, "event_ts": c.nextStamp().String()}})
	}
}

// serveDownload serves a file to tokens that may see it, and redirects others to the sign-in page.
func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request) {
	f := s.takeFault("download")
	if f.before(s, "download", w, r) || f.instead(w) {
		return
	}
	ids, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/files-pri/"), "/")
	_, id, _ := strings.Cut(ids, "-")
	s.mu.Lock()
	file, t := s.files[id], s.tokens[bearer(r)]
	var data []byte
	var kind string
	allowed := file != nil && file.done && t != nil && t.install != nil && t.state(s.opt.Now()) == "" && t.install.team == file.team &&
		t.allows("files:read") && file.seenBy(t.user, t.kind == botToken)
	gone := allowed && file.deleted
	if allowed {
		data, kind = file.data, file.mime
	}
	s.mu.Unlock()
	switch {
	case !allowed:
		http.Redirect(w, r, "/?redir="+r.URL.EscapedPath(), http.StatusFound)
	case gone:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(data)
	}
}
