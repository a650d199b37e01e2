package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"image/color"
	"strings"
)

func paletteOf(sum [sha256.Size]byte) color.Palette {
	return color.Palette{color.RGBA{R: sum[0], G: sum[1], B: sum[2], A: 255}}
}

// pictureHash is the name that Discord gives to a picture: 32 hexadecimal digits.
func pictureHash(of string) string {
	if of == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:16])
}

// imageData checks a data URI as avatars are sent. (reference.mdx, Image Data)
func imageData(v any, field string) (string, error) {
	text, ok := v.(string)
	if v == nil || ok && text == "" {
		return "", nil
	}
	for _, kind := range []string{"data:image/jpeg;base64,", "data:image/png;base64,", "data:image/gif;base64,"} {
		if strings.HasPrefix(text, kind) {
			return pictureHash(text), nil
		}
	}
	return "", invalidForm(field, "IMAGE_INVALID", "Invalid image data")
}
