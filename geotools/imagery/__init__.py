"""Science of images: band indices, arrays in and arrays out. No file is opened here."""
