package cloud

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"time"
)

// user is what an access token says of its user. Tokens of msaltest aren't
// signed, so it is taken at its word.
type user struct {
	ID      string `json:"oid"`
	Address string `json:"upn"`
	Name    string `json:"name"`
	Expires int64  `json:"exp"`
}

// bearer answers 401 itself where there is no token that still counts.
func bearer(w http.ResponseWriter, r *http.Request) (u user, ok bool) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if parts := strings.Split(token, "."); len(parts) == 3 {
		data, err := base64.RawURLEncoding.DecodeString(parts[1])
		ok = err == nil && json.Unmarshal(data, &u) == nil && u.Address != "" && time.Now().Unix() <= u.Expires
	}
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is missing, malformed or expired.")
	}
	return u, ok
}

// refuse answers in the form of Graph's errors.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who doesn't read it is gone
}

func person(w http.ResponseWriter, r *http.Request) {
	if u, ok := bearer(w, r); ok {
		answer(w, http.StatusOK, map[string]string{
			"id": u.ID, "displayName": called(u.Name), "mail": u.Address, "userPrincipalName": u.Address, "jobTitle": "Engineer",
		})
	}
}

// manager is Grace for everybody but herself.
func manager(w http.ResponseWriter, r *http.Request) {
	u, ok := bearer(w, r)
	if !ok {
		return
	}
	const address = "grace@contoso.example"
	if u.Address == address {
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource 'manager' does not exist.")
		return
	}
	answer(w, http.StatusOK, map[string]string{
		"@odata.type": "#microsoft.graph.user", "id": "grace", "displayName": "Grace", "mail": address, "userPrincipalName": address, "jobTitle": "Director",
	})
}

// photo is a pattern that follows from the address. Bob has none.
func photo(w http.ResponseWriter, r *http.Request) {
	u, ok := bearer(w, r)
	if !ok {
		return
	}
	if u.Address == "bob@contoso.example" {
		refuse(w, http.StatusNotFound, "ImageNotFound", "The photo wasn't found.")
		return
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, pattern(u.Address)); err != nil {
		refuse(w, http.StatusInternalServerError, "generalException", err.Error())
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(picture.Bytes())
}

// pattern is seven by seven fields, the right half as the left one.
func pattern(of string) image.Image {
	const fields, size = 7, 30
	sum := sha256.Sum256([]byte(of))
	light, dark := color.RGBA{0xe8, 0xec, 0xf7, 0xff}, color.RGBA{sum[29]/4 + 30, sum[30]/5 + 40, sum[31]/3 + 120, 0xff}
	picture := image.NewPaletted(image.Rect(0, 0, fields*size, fields*size), color.Palette{light, dark})
	for y := range fields * size {
		for x := range fields * size {
			column, row := x/size, y/size
			column = min(column, fields-1-column)
			inside := column > 0 && row > 0 && row < fields-1
			if inside && sum[row*3+column]&1 == 1 {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	return picture
}

func called(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
