package upload

import (
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/web"
)

// maxAge is how long files may be in caches: they never change.
const maxAge = 365 * 24 * time.Hour

// setHeader sets the header of a file's content.
func (u *Uploads) setHeader(h http.Header, f *File) {
	typ, inline := web.ContentType(f.Type)
	disposition := "attachment"
	if inline {
		disposition = "inline"
	}
	age := maxAge
	if end := f.end(u.limits.Load().Quota.Keep); !end.IsZero() {
		age = min(age, max(0, end.Sub(u.now()))) // it must not be available later (XEP-0363 §5.3)
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	if f.replaceable {
		h.Set("Cache-Control", "no-cache")
		return
	}
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(age.Seconds()))+", immutable")
	h.Set("ETag", `"`+f.ID+`"`)
}
