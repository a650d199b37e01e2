package puppets

import (
	"context"
	"io"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// maxPhoto is the largest picture that goes into a vCard, in bytes: as base64 it has to fit into a stanza.
const maxPhoto = 48 << 10

// photo reads the picture of somebody who has no public address for it; nil where there is none that fits.
func (d *Directory) photo(ctx context.Context, l *logins.Login, u transports.UserInfo) *convert.Photo {
	opener, ok := l.Client().(transports.MediaOpener)
	if !ok || !d.env.Info.Caps.Media || u.AvatarRef == "" || u.Avatar != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	content, file, err := opener.OpenFile(ctx, u.AvatarRef)
	if err != nil {
		d.env.Log.Debug("opening a picture", "user", u.ID, "error", err)
		return nil
	}
	defer content.Close()
	if !strings.HasPrefix(file.MIME, "image/") || file.Size > maxPhoto {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(content, maxPhoto+1))
	if err != nil || len(data) > maxPhoto {
		return nil
	}
	return &convert.Photo{Type: file.MIME, Data: data}
}
