--[[
Fuse a focal stack with panfocus from darktable's export panel, and take the picture in.

Install: copy this file into the folder `lua` of darktable's configuration (~/.config/darktable/lua,
%LOCALAPPDATA%\darktable\lua) and add a line `require "panfocus"` to `luarc` beside it. Then select the
frames in the lighttable, choose "panfocus: focus stack" as target storage and TIFF, 16 bit, as file
format, and export. The picture lies beside the first frame, is imported and grouped with it,
and has the highest of their ratings, their tags and their colour labels.
]]

local dt = require "darktable"

local MODULE = "panfocus"
local SYSTEMS = { "dualpath", "guided", "drpl-2", "pyramid" }
local ALIGNMENTS = { "auto", "none", "translation", "similarity", "affine", "homography", "local" }

dt.preferences.register(MODULE, "command", "file", "panfocus: program",
  "the program `panfocus`; empty where it is found by its name", "")

local function remembered(name, default)
  local value = dt.preferences.read(MODULE, name, "string")
  return value ~= "" and value or default
end

local function position(list, wanted)
  for n, one in ipairs(list) do
    if one == wanted then return n end
  end
  return 1
end

local function choice(label, tooltip, list, name)
  return dt.new_widget("combobox") {
    label = label,
    tooltip = tooltip,
    value = position(list, remembered(name, list[1])),
    changed_callback = function(self) dt.preferences.write(MODULE, name, "string", self.value) end,
    table.unpack(list),
  }
end

local system = choice("system", "what decides which frame is sharp", SYSTEMS, "system")
local align = choice("align", "how frames may move; auto moves only what is misaligned", ALIGNMENTS, "align")
local more = dt.new_widget("entry") {
  tooltip = "more options of `panfocus fuse`, as on the command line",
  text = remembered("more", ""),
  placeholder = "more options",
}

local on_windows = dt.configuration.running_os == "windows"

local function quoted(text)
  if on_windows then return '"' .. text .. '"' end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- A name beside the first frame that is not taken.
local function free_name(image)
  local stem = image.path .. (on_windows and "\\" or "/") .. image.filename:gsub("%.[^.]*$", "") .. "_fused"
  local path, n = stem .. ".tif", 1
  while exists(path) do
    n = n + 1
    path = stem .. "-" .. n .. ".tif"
  end
  return path
end

-- Frames in the order in which they were taken.
local function in_order(exported)
  local pairs_ = {}
  for image, path in pairs(exported) do
    table.insert(pairs_, { image = image, path = path })
  end
  table.sort(pairs_, function(a, b)
    local first, second = a.image.exif_datetime_taken or "", b.image.exif_datetime_taken or ""
    if first ~= second then return first < second end
    return a.image.filename < b.image.filename
  end)
  return pairs_
end

local function take_over(fused, frames)
  local rating = -1
  for _, frame in ipairs(frames) do
    rating = math.max(rating, frame.image.rating)
    for _, colour in ipairs({ "red", "yellow", "green", "blue", "purple" }) do
      if frame.image[colour] then fused[colour] = true end
    end
    for _, tag in ipairs(dt.tags.get_tags(frame.image)) do
      if not tag.name:match("^darktable|") then dt.tags.attach(tag, fused) end
    end
  end
  fused.rating = math.max(rating, 0)
  fused:group_with(frames[1].image.group_leader)
end

-- Fuse exported files, and return the picture in the library; nil where it failed, which is told.
local function fuse(exported, words)
  local frames = in_order(exported)
  if #frames < 2 then
    dt.print("panfocus: select at least two frames of one stack")
    return nil
  end
  local program = dt.preferences.read(MODULE, "command", "file")
  local out = free_name(frames[1].image)
  local command = { quoted(program ~= "" and program or "panfocus"), "fuse" }
  for _, frame in ipairs(frames) do
    table.insert(command, quoted(frame.path))
  end
  table.insert(command, "-o " .. quoted(out) .. " --quiet " .. words)
  dt.print("panfocus fuses " .. #frames .. " frames")
  local line = table.concat(command, " ")
  local status = dt.control.execute(on_windows and '"' .. line .. '"' or line)
  for _, frame in ipairs(frames) do
    os.remove(frame.path)
  end
  if status ~= 0 or not exists(out) then
    dt.print("panfocus could not fuse the frames; darktable's terminal says why")
    dt.print_error("panfocus ended with " .. tostring(status) .. ": " .. line)
    return nil
  end
  local fused = dt.database.import(out)
  take_over(fused, frames)
  dt.print("panfocus: " .. out)
  return fused
end

local function store(storage, image, format, filename, number, total, high_quality, extra)
  dt.print("panfocus: frame " .. number .. " of " .. total)
end

local function finalize(storage, exported, extra)
  dt.preferences.write(MODULE, "more", "string", more.text)
  fuse(exported, "--system " .. system.value .. " --align " .. align.value .. " " .. more.text)
end

local function supported(storage, format)
  return format.extension == "tif" or format.extension == "png" or format.extension == "jpg"
end

dt.register_storage(MODULE, "panfocus: focus stack", store, finalize, supported, nil,
  dt.new_widget("box") { orientation = "vertical", system, align, more })

return { fuse = fuse }
